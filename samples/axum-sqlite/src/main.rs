//! The shop; everything is in the library beside it.

use std::error::Error;

// One thread is enough to read requests and write answers: the work is done in the database, which has threads of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    axum_sqlite::serve(axum_sqlite::webhooks()).await
}
