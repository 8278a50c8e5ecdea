//! The orders, in an SQLite database.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{event::Event, order::Order, refusal::Refusal};

// With a write-ahead log readers do not wait for the writer. NORMAL makes no fsync for every commit: what is committed is with the
// operating system and outlives a killed process. If power may fail: FULL, and pay for the fsync.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS events (order_id TEXT, id TEXT, PRIMARY KEY (order_id, id)) WITHOUT ROWID;";

/// The database. SQLite has one writer at a time, so there is one connection for writing: those who wait for it queue up here, without
/// blocking a thread.
#[derive(Debug)]
pub struct Store {
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl Store {
    /// Opens the database, or makes it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open(path: &Path) -> rusqlite::Result<Store> {
        let writer = Connection::open(path)?;
        writer.execute_batch(SCHEMA)?;
        Ok(Store { writer: Arc::new(Mutex::new(writer)), reader: Arc::new(Mutex::new(Connection::open(path)?)) })
    }

    /// The order as it was committed last.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn order(&self, id: String) -> Result<Option<Order>, Refusal> {
        blocking(&self.reader, move |reader| load(reader, &id)).await
    }

    /// Takes in an event: once, however often it is delivered, and as a whole.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`], or whatever [`Order::after`] has against it.
    pub async fn book(&self, event: Event) -> Result<(), Refusal> {
        self.transaction(move |transaction| {
            let order = load(transaction, &event.order_id)?.ok_or(Refusal::UnknownOrder)?;
            let after = order.after(&event)?;
            // State and event id change together or not at all: an id that is remembered too early wastes the redelivery.
            if remember(transaction, &event)? {
                save(transaction, &event.order_id, &after)?;
            }
            Ok(())
        })
        .await
    }

    /// Puts these orders in the place of whatever was known under their ids.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn replace(&self, orders: Vec<(String, Order)>) -> Result<(), Refusal> {
        self.transaction(move |transaction| {
            for (id, order) in &orders {
                transaction.prepare_cached("DELETE FROM events WHERE order_id = ?1")?.execute([id])?;
                save(transaction, id, order)?;
            }
            Ok(())
        })
        .await
    }

    /// Does some work in one transaction, which is committed when this returns `Ok`, and otherwise has never happened.
    ///
    /// The work goes on to its end even if the client hangs up in the middle. It is then committed and was never acknowledged, so it is
    /// delivered again, and recognised.
    ///
    /// # Errors
    /// Those of the work, and [`Refusal::Database`].
    pub async fn transaction<T, W>(&self, work: W) -> Result<T, Refusal>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        blocking(&self.writer, move |writer| {
            // IMMEDIATE takes the lock before anything is read. A deferred transaction takes it with its first write, and whatever it
            // has read by then may be outdated: another process may write, too, such as the next version of this shop.
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await
    }
}

/// SQLite blocks: it gets a thread where that does no harm to other requests.
async fn blocking<T, W>(connection: &Arc<Mutex<Connection>>, work: W) -> Result<T, Refusal>
where
    T: Send + 'static,
    W: FnOnce(&mut Connection) -> Result<T, Refusal> + Send + 'static,
{
    let mut connection = Arc::clone(connection).lock_owned().await;
    spawn_blocking(move || work(&mut connection)).await.map_err(|_| Refusal::Panicked)?
}

/// The order with this id.
///
/// # Errors
/// [`Refusal::Database`].
pub fn load(database: &Connection, id: &str) -> Result<Option<Order>, Refusal> {
    let mut query = database.prepare_cached("SELECT facts FROM orders WHERE id = ?1")?;
    let facts: Option<String> = query.query_row([id], |row| row.get(0)).optional()?;
    facts.map(|facts| serde_json::from_str(&facts)).transpose().map_err(Refusal::Stored)
}

/// Writes the order with this id.
///
/// # Errors
/// [`Refusal::Database`].
pub fn save(database: &Connection, id: &str, order: &Order) -> Result<(), Refusal> {
    let facts = serde_json::to_string(order).map_err(Refusal::Stored)?;
    database.prepare_cached("INSERT OR REPLACE INTO orders VALUES (?1, ?2)")?.execute(params![id, facts])?;
    Ok(())
}

/// Remembers the event, and says whether it is new.
///
/// # Errors
/// [`Refusal::Database`].
pub fn remember(database: &Connection, event: &Event) -> Result<bool, Refusal> {
    let mut insert = database.prepare_cached("INSERT OR IGNORE INTO events VALUES (?1, ?2)")?;
    Ok(insert.execute(params![event.order_id, event.id])? > 0)
}
