//! Everything that was told is a row; what is shown is computed by SQL whenever it is asked for.
//!
//! Nothing is kept in memory but the place of the database, so a kill loses nothing.

use refundproof::{
    adapter::{Capabilities, Observable, TargetError},
    case::{OrderSetup, OwnRefund},
    domain::{Amount, OrderState, RefundState, RefundView},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tempfile::NamedTempFile;

use super::{
    Consumer, Facts, observing,
    parse::{Event, News},
};

const SCHEMA: &str = "
    pragma journal_mode = memory; pragma synchronous = off;
    create table if not exists orders (id text primary key, currency text, captured text) without rowid;
    create table if not exists events (id text primary key) without rowid;
    create table if not exists refund_told (order_id text, refund_id text, state text, amount text, paid text, at integer);
    create table if not exists entry_told (event_id text, order_id text, charge_id text, state text, amount text, at integer);
    create table if not exists chargeback_told (order_id text, amount text, at integer);
    create index if not exists refunds_of on refund_told (order_id);
    create index if not exists entries_of on entry_told (order_id);
    create index if not exists chargebacks_of on chargeback_told (order_id);";

/// A final state wins, else what was created last.
const REFUNDS: &str = "
    select refund_id, state, amount, paid from (
        select *, row_number() over (partition by refund_id order by state in ('succeeded', 'failed') desc, at desc) as place
        from refund_told where order_id = ?1
    ) where place = 1";

/// The entries of the latest picture of each charge. Two events may be of the same moment.
const ENTRIES: &str = "
    select state, amount from entry_told as told where order_id = ?1 and event_id = (
        select event_id from entry_told as other where other.order_id = ?1 and other.charge_id = told.charge_id
        order by at desc, event_id desc limit 1
    )";

pub(crate) struct Sqlite {
    file: NamedTempFile,
    database: Connection,
}

impl Default for Sqlite {
    fn default() -> Sqlite {
        let file = NamedTempFile::new().expect("a temporary file");
        let database = connect(&file);
        Sqlite { file, database }
    }
}

fn connect(file: &NamedTempFile) -> Connection {
    let database = Connection::open(file.path()).expect("the database opens");
    database.execute_batch(SCHEMA).expect("the tables can be made");
    database
}

impl Sqlite {
    fn insert(&self, sql: &str, values: impl rusqlite::Params) -> usize {
        self.database.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).expect("the row can be written")
    }

    fn all<T>(&self, sql: &str, order_id: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.database.prepare_cached(sql).expect("a query");
        let rows = statement.query_map([order_id], |row| read(row)).expect("the query runs");
        rows.collect::<rusqlite::Result<_>>().expect("rows")
    }
}

fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Amount> {
    row.get::<_, String>(column).map(|text| Amount::parse(&text).expect("a stored amount"))
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<RefundState> {
    row.get::<_, String>(column).map(|text| serde_json::from_value(text.into()).expect("a stored state"))
}

impl Consumer for Sqlite {
    fn claims(&self) -> Capabilities {
        let observes = [Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
        observing(&observes).with(|claims| {
            claims.durable = true;
            claims.initiates_refunds = true;
            claims.concurrency = 4;
        })
    }

    fn open(&mut self, order: &OrderSetup) {
        let captured = order.captured_amount.to_string();
        self.insert("insert into orders values (?1, ?2, ?3)", params![order.order_id, order.currency, captured]);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        let mut statement = self.database.prepare_cached("select currency, captured from orders where id = ?1").expect("a query");
        let facts = statement.query_row([order_id], |row| Ok(Facts { currency: row.get(0)?, captured: amount(row, 1)? }));
        facts.optional().expect("the query runs")
    }

    fn book(&mut self, event: Event) {
        if self.insert("insert or ignore into events values (?1)", [&event.id]) == 0 {
            return;
        }
        let at = event.at.micros();
        match event.news {
            News::Refund(refund) => {
                let (amount, paid) = (refund.amount.to_string(), refund.paid.to_string());
                let row = params![event.order_id, refund.id, refund.state.as_str(), amount, paid, at];
                self.insert("insert into refund_told values (?1, ?2, ?3, ?4, ?5, ?6)", row);
            }
            News::Charge(picture) => {
                for (state, amount) in picture.entries {
                    let row = params![event.id, event.order_id, picture.charge, state.as_str(), amount.to_string(), at];
                    self.insert("insert into entry_told values (?1, ?2, ?3, ?4, ?5, ?6)", row);
                }
            }
            News::Chargeback(order) => {
                let captured = self.facts(&event.order_id).map_or(Amount::ZERO, |facts| facts.captured);
                let open = order.pictures.iter().map(super::parse::Picture::open).sum::<Amount>();
                let amount = captured - order.available.unwrap_or_default() - order.refunded - open;
                let row = params![event.order_id, amount.max(Amount::ZERO).to_string(), at];
                self.insert("insert into chargeback_told values (?1, ?2, ?3)", row);
            }
            News::Order(_) => {}
        }
    }

    fn own(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let row = params![own.order_id, own.refund.id, "pending", own.refund.amount.to_string(), "0", i64::MIN];
        self.insert("insert into refund_told values (?1, ?2, ?3, ?4, ?5, ?6)", row);
        Ok(())
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let facts = self.facts(order_id)?;
        let view = |row: &Row<'_>| {
            let asked = amount(row, 2)?;
            Ok(RefundView::new(row.get::<_, String>(0)?, state(row, 1)?, amount(row, 3)?).with(|view| view.amount = Some(asked)))
        };
        let refunds = self.all(REFUNDS, order_id, view);
        let entries = self.all(ENTRIES, order_id, |row| Ok((state(row, 0)?, amount(row, 1)?)));
        let charged_back =
            self.all("select amount from chargeback_told where order_id = ?1 order by at desc", order_id, |row| amount(row, 0));
        let by_refunds: Amount = refunds.iter().map(|refund| refund.refunded_amount).sum();
        let by_charges = entries.iter().filter(|(state, _)| *state == RefundState::Succeeded).map(|(_, amount)| *amount).sum();
        let open: Amount = refunds.iter().filter(|refund| !refund.state.is_final()).filter_map(|refund| refund.amount).sum();
        let states: Vec<RefundState> = refunds.iter().map(|refund| refund.state).collect();
        let paid = by_refunds.max(by_charges);
        let mut state = facts.state(order_id, paid, !charged_back.is_empty(), &states);
        let charged_back = charged_back.first().copied().unwrap_or_default();
        state.available_to_refund_amount = Some((facts.captured - paid - open - charged_back).max(Amount::ZERO));
        state.charged_back_amount = Some(charged_back);
        state.refunds = Some(refunds);
        Some(state)
    }

    fn killed(&mut self) -> Result<(), TargetError> {
        self.database = connect(&self.file);
        Ok(())
    }
}
