//! The floor on Actix: the same token check.

use crate::announce;
use crate::token::Tokens;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use std::io;
use std::net::Ipv4Addr;

pub(crate) fn serve() -> io::Result<()> {
    let tokens = web::Data::new(Tokens::new());
    rt::System::new().block_on(async move {
        let shared = tokens.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/hello", web::get().to(async || "hello"))
                .route("/users/me", web::get().to(me))
        })
        .workers(1)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))?;
        announce(*server.addrs().first().expect("a bound socket"), &tokens);
        server.run().await
    })
}

async fn me(request: HttpRequest, tokens: web::Data<Tokens>) -> HttpResponse {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(|header| tokens.verify(header)) {
        Some(claims) => HttpResponse::Ok().content_type("application/json").body(claims.profile()),
        None => HttpResponse::Unauthorized().finish(),
    }
}
