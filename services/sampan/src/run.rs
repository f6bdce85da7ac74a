//! Starts the runtime, runs one command, and tells how it ended.

use crate::cli::{Cli, Command, Output};
use crate::client::Failure;
use crate::exit::Exit;
use crate::output::{style, words};
use crate::{commands, demo, download, serve, simulate};

/// Runs the command and returns the exit code; failures go to standard error, or to standard output as JSON.
pub fn main(cli: Cli) -> Exit {
    sampan_cloud::stack::init_crypto();
    let output = output_of(&cli.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return Exit::Failed;
        }
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(exit) => exit,
        // As after a pipe to `head`, whose reader has seen enough.
        Err(failure) if failure.exit == Exit::Unread => Exit::Unread,
        Err(failure) => match output {
            Output::Table => {
                eprintln!("{}", failure.within(style::error_width()));
                failure.exit
            }
            Output::Json => words::line(&failure.json().to_string()).map_or(Exit::Unread, |()| failure.exit),
        },
    }
}

async fn dispatch(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Health(args) => commands::health(args).await,
        Command::Doctor(args) => commands::doctor(args).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Simulate(args) => simulate::simulate(args).await,
        Command::Preview(command) => commands::preview(command).await,
        Command::Export(command) => commands::export(command).await,
        Command::Copy(command) => commands::copy(*command).await,
        Command::Share(command) => commands::share(*command).await,
        Command::Estimate(command) => commands::estimate(command).await,
        Command::Operations(command) => commands::operations(command).await,
        Command::Quota(args) => commands::quota(args).await,
        Command::Download(args) => download::download(args).await,
    }
}

fn output_of(command: &Command) -> Output {
    use crate::cli::{EstimateOutput, OperationsCommand, PreviewCommand};
    match command {
        Command::Serve(_) | Command::Health(_) | Command::Demo(_) | Command::Simulate(_) => Output::Table,
        Command::Preview(PreviewCommand::Export(command)) => command.client.output,
        Command::Preview(PreviewCommand::Copy(command)) => command.client.output,
        Command::Preview(PreviewCommand::Share(command)) => command.client.output,
        Command::Export(command) => command.client.output,
        Command::Copy(command) => command.client.output,
        Command::Share(command) => command.client().output,
        Command::Estimate(command) => match command.answering().output {
            EstimateOutput::Json => Output::Json,
            EstimateOutput::Table | EstimateOutput::Csv => Output::Table,
        },
        Command::Operations(OperationsCommand::List(args)) => args.client.output,
        Command::Operations(OperationsCommand::Get(args) | OperationsCommand::Watch(args)) => args.client.output,
        Command::Operations(OperationsCommand::Cancel(args)) => args.client.output,
        Command::Operations(OperationsCommand::Retry(args)) => args.client.output,
        Command::Quota(args) => args.client.output,
        Command::Doctor(args) => args.output,
        Command::Download(args) => args.client.output,
    }
}
