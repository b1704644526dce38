//! Whether the process lives, and whether it should be sent requests: for load balancers and orchestrators.

mod live;
mod ready;

use crate::endpoints::endpoints;

endpoints!(live::live, ready::ready);
