//! The program against a real API server. tests/cluster/run.sh builds the server and runs this.

#[path = "../common/mod.rs"]
mod common;
#[path = "../serve/program.rs"]
mod program;
mod server;
mod webhook;

use server::Server;

#[test]
fn the_server_answers() {
    let server = Server::shared();
    assert_eq!(server.get("/version").body["gitVersion"], "v1.36.3");
}
