//! The program against a real API server. tests/cluster/run.sh builds the server and runs this.

mod apply;
mod applying;
mod applyset;
mod bootstrap;
mod capabilities;
mod chart;
mod command;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod hooks;
mod kubectl;
mod lock;
mod lost;
mod pods;
#[path = "../serve/program.rs"]
mod program;
mod proof;
mod prune;
mod ready;
mod server;
mod speed;
mod uninstall;
mod walk;
mod webhook;

use server::Server;

#[test]
fn the_server_answers() {
    let server = Server::shared();
    assert_eq!(server.get("/version").body["gitVersion"], "v1.36.3");
}

/// `tests/cluster/run.sh --ignored --nocapture by_hand`, until Ctrl-C.
#[test]
#[ignore = "runs until it is stopped"]
fn a_server_to_try_things_by_hand() {
    let server = Server::start();
    println!("export KUBECONFIG={}", server.kubeconfig(server::ADMIN).display());
    loop {
        std::thread::park();
    }
}
