//! `vestibule breach`: larger filters of breached passwords than the one in the binary.

use crate::failure::Failure;
use crate::output;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};
use vestibule_infrastructure::breach::{FilterImage, List, ListForm};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum BreachCommand {
    /// Make a filter of a list
    #[command(after_help = "Takes about 40 bytes of memory for each password, and makes 2.25 bytes of each. Of \
                            passwords that are not in the list, the filter takes one in 65,536 for breached.

Examples:
  vestibule breach build pwned-passwords-sha1.txt --min-count 10 -o /var/lib/vestibule/breached.filter
  xzcat leaked.txt.xz | vestibule breach build - --plain -o leaked.filter

Then set passwords.breach_filter to it.")]
    Build(BuildArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// A list: on each line the SHA-1 of a password in hexadecimal and, after a colon, how often it was seen, as «Have
    /// I Been Pwned» has it; «-» for standard input
    file: PathBuf,
    /// The filter; must not exist yet
    #[arg(short, long, value_name = "FILTER")]
    output: PathBuf,
    /// Leave out what was seen fewer times than this
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "plain")]
    min_count: u64,
    /// The lines are the passwords themselves
    #[arg(long)]
    plain: bool,
}

pub(crate) fn run(command: BreachCommand) -> Result<(), Failure> {
    let BreachCommand::Build(args) = command;
    let at = |path: &Path, error: io::Error| Failure::refused(format!("{}: {error}", path.display()));
    // Before an hour of reading.
    if args.output.exists() {
        return Err(Failure::refused(format!("{} exists already", args.output.display())));
    }
    let form = if args.plain { ListForm::Plain } else { ListForm::Hashes { min_count: args.min_count } };
    let mut list = read(&args.file, form).map_err(|error| at(&args.file, error))?;
    let keys = std::mem::take(&mut list.keys);
    let image = match FilterImage::build(keys) {
        Ok(image) => image,
        Err(error) => {
            report(&list)?;
            return Err(Failure::refused(format!("{}: {error}", args.file.display())));
        }
    };
    write(&args.output, &image).map_err(|error| at(&args.output, error))?;
    report(&list)?;
    let (keys, size) = (image.keys(), image.size());
    output::line(format_args!("passwords: {keys}, bytes: {size}, others taken for one of them: 1 in 65,536"))?;
    Ok(output::line(args.output.display())?)
}

fn read(path: &Path, form: ListForm) -> io::Result<List> {
    let from: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    List::read(BufReader::with_capacity(256 * 1024, from), form)
}

/// All of it or nothing.
fn write(path: &Path, image: &FilterImage) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = image.write_to(BufWriter::new(&mut file)).and_then(|()| file.sync_all());
    if written.is_err() {
        // What is wrong is told; that a part of the file may be left is the least of it.
        let _ = std::fs::remove_file(path);
    }
    written
}

fn report(list: &List) -> io::Result<()> {
    output::line(format_args!("{} lines: {} too rare, {} passed over", list.lines, list.rare, list.faulty))?;
    for (line, fault) in &list.faults {
        output::note(format_args!("line {line} {fault}"));
    }
    if list.faulty > list.faults.len() as u64 {
        output::note(format_args!("and {} more", list.faulty - list.faults.len() as u64));
    }
    Ok(())
}
