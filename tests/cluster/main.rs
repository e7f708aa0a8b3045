//! The program against a real API server. tests/cluster/run.sh builds the server and runs this.

mod bootstrap;
mod capabilities;
mod chart;
#[path = "../common/mod.rs"]
mod common;
mod server;

use server::Server;

#[test]
fn the_server_answers() {
    let server = Server::shared();
    assert_eq!(server.get("/version").body["gitVersion"], "v1.36.3");
}
