//! Tables read below SQL: no rights are checked, no code of anybody's runs, no plan is made.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::pg_sys;

use super::attribute;
use super::datum::Detoasted;

const LOCK: i32 = pg_sys::AccessShareLock as i32;
const NO_LOCK: i32 = pg_sys::NoLock as i32;

/// An open table. It has no destructor: after an ERROR the transaction's end closes and unlocks it.
pub struct OpenTable {
    relation: pg_sys::Relation,
}

/// A row, while a scan stands on it.
pub struct TableRow<'a> {
    tuple: pg_sys::HeapTuple,
    table: &'a OpenTable,
    life: PhantomData<&'a ()>,
}

impl OpenTable {
    /// Locks and opens a table that is there.
    pub fn open(table: pg_sys::Oid) -> Self {
        // SAFETY: what is no table, or gone, is an ERROR.
        Self { relation: unsafe { pg_sys::table_open(table, LOCK) } }
    }

    /// Locks and opens a relation; `None` where it is gone, or somebody has it locked.
    pub fn try_open(relation: pg_sys::Oid) -> Option<Self> {
        // SAFETY: locks what has this number; a lock that was not needed is released.
        unsafe {
            if !pg_sys::ConditionalLockRelationOid(relation, LOCK) {
                return None;
            }
            let open = pg_sys::try_relation_open(relation, NO_LOCK);
            if open.is_null() {
                pg_sys::UnlockRelationOid(relation, LOCK);
                return None;
            }
            Some(Self { relation: open })
        }
    }

    /// Closes and unlocks it.
    pub fn close(self) {
        // SAFETY: opened by one of the functions above.
        unsafe { pg_sys::relation_close(self.relation, LOCK) }
    }

    /// Its number.
    pub fn oid(&self) -> pg_sys::Oid {
        // SAFETY: open.
        unsafe { (*self.relation).rd_id }
    }

    /// Its kind, a letter of `pg_class.relkind`.
    pub fn kind(&self) -> u8 {
        // SAFETY: open.
        unsafe { (*(*self.relation).rd_rel).relkind as u8 }
    }

    /// Its owner.
    pub fn owner(&self) -> pg_sys::Oid {
        // SAFETY: open.
        unsafe { (*(*self.relation).rd_rel).relowner }
    }

    /// Name and type of a column, counted from 1; `None` where there is none.
    pub fn column(&self, number: i32) -> Option<(&CStr, pg_sys::Oid)> {
        self.attribute(number).map(|column| {
            // SAFETY: a name is NUL-terminated.
            (unsafe { CStr::from_ptr(column.attname.data.as_ptr()) }, column.atttypid)
        })
    }

    /// Whether there is a column of this number, from 1, whose values are varlenas.
    pub fn has_varlenas(&self, number: i32) -> bool {
        self.attribute(number).is_some_and(|column| column.attlen == -1)
    }

    fn attribute(&self, number: i32) -> Option<&pg_sys::FormData_pg_attribute> {
        // SAFETY: open; the number is one of its columns.
        let column = unsafe {
            let columns = (*self.relation).rd_att;
            let there = (1..=(*columns).natts).contains(&number);
            there.then(|| &*attribute(columns, number))
        };
        column.filter(|column| !column.attisdropped)
    }

    /// What `visit` finds in one of the first `most` rows, by a snapshot of its own: of what is committed now and what this
    /// transaction did before. `visit` is not called again once it has found something.
    pub fn find<T>(&self, most: usize, visit: impl FnMut(&TableRow<'_>) -> Option<T>) -> Option<T> {
        self.search(pg_sys::InvalidOid, &mut [], most, visit)
    }

    /// The same of the rows of a catalog whose columns, through the index, are equal to these OIDs.
    pub fn find_equal<T, const N: usize>(
        &self,
        index: pg_sys::Oid,
        wanted: [(pg_sys::AttrNumber, pg_sys::Oid); N],
        visit: impl FnMut(&TableRow<'_>) -> Option<T>,
    ) -> Option<T> {
        let (equal, compare) = (pg_sys::BTEqualStrategyNumber as u16, pg_sys::Oid::from(pg_sys::F_OIDEQ));
        let mut keys = wanted.map(|(column, value)| {
            let mut key = pg_sys::ScanKeyData::default();
            // SAFETY: fills in a key.
            unsafe { pg_sys::ScanKeyInit(&mut key, column, equal, compare, value.into()) };
            key
        });
        self.search(index, &mut keys, usize::MAX, visit)
    }

    fn search<T>(
        &self,
        index: pg_sys::Oid,
        keys: &mut [pg_sys::ScanKeyData],
        most: usize,
        mut visit: impl FnMut(&TableRow<'_>) -> Option<T>,
    ) -> Option<T> {
        let (by_index, count, own) = (index != pg_sys::InvalidOid, keys.len() as i32, std::ptr::null_mut());
        // SAFETY: open; as many keys as are said.
        let scan = unsafe { pg_sys::systable_beginscan(self.relation, index, by_index, own, count, keys.as_mut_ptr()) };
        let mut found = None;
        for _ in 0..most {
            // SAFETY: begun above and not ended.
            let tuple = unsafe { pg_sys::systable_getnext(scan) };
            if tuple.is_null() || found.is_some() {
                break;
            }
            super::interrupt::check();
            found = visit(&TableRow { tuple, table: self, life: PhantomData });
        }
        // SAFETY: as above.
        unsafe { pg_sys::systable_endscan(scan) };
        found
    }
}

impl TableRow<'_> {
    /// The value of a column, counted from 1; `None` for a NULL.
    pub fn value(&self, number: i32) -> Option<pg_sys::Datum> {
        let mut null = true;
        // SAFETY: a row of the table; a number that is none of its columns gives NULL.
        let value = unsafe { pg_sys::SPI_getbinval(self.tuple, (*self.table.relation).rd_att, number, &mut null) };
        (!null).then_some(value)
    }

    /// The value of a column of varlenas, counted from 1; `None` for a NULL.
    pub fn varlena(&self, number: i32) -> Option<Detoasted<'_>> {
        assert!(self.table.has_varlenas(number), "column {number} is of a fixed size");
        // SAFETY: a varlena.
        self.value(number).map(|value| unsafe { Detoasted::new(value) })
    }

    /// The first bytes of a value of a column of varlenas, counted from 1, no more of which are fetched; `None` for a NULL.
    pub fn beginning<T>(&self, number: i32, length: usize, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        assert!(self.table.has_varlenas(number), "column {number} is of a fixed size");
        self.value(number).map(|value| {
            // SAFETY: a varlena; the copy is freed below.
            let slice = unsafe { pg_sys::pg_detoast_datum_slice(value.cast_mut_ptr(), 0, length as i32) };
            // SAFETY: as above.
            let taken = take(&unsafe { Detoasted::new(pg_sys::Datum::from(slice)) });
            // SAFETY: as above.
            unsafe { pg_sys::pfree(slice.cast()) };
            taken
        })
    }
}
