//! The shop; everything is in the library beside it.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    axum_sqlite::serve(axum_sqlite::webhooks()).await
}
