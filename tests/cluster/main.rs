//! The program against a real API server. tests/cluster/run.sh builds the server and runs this.

mod capabilities;
#[path = "../common/mod.rs"]
mod common;
mod chart;
mod server;

use server::Server;

#[test]
fn the_server_answers() {
    let server = Server::shared();
    assert_eq!(server.get("/version").body["gitVersion"], "v1.36.3");
}
