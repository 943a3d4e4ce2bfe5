//! A row-level BEFORE trigger on INSERT or UPDATE: the row as it was, as it will be, and one column changed.

use pgrx::pg_sys;

use super::call::{Call, Value};
use super::datum::Detoasted;
use super::encoding;

/// The running trigger.
pub struct RowTrigger {
    pub(super) data: *mut pg_sys::TriggerData,
    pub(super) new: pg_sys::HeapTuple,
    pub(super) old: Option<pg_sys::HeapTuple>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its number, from 1.
    number: i32,
    /// OID of its type, which may be a domain.
    declared: pg_sys::Oid,
    /// OID of the type that its values have: what a domain, or a domain over a domain, is made of.
    pub type_id: pg_sys::Oid,
    /// Whether the server computes it, which it does after BEFORE triggers.
    pub generated: bool,
}

impl RowTrigger {
    /// The trigger that is running; `None` where the function was called in another way, or fires at another time.
    pub fn running(call: &Call<'_>) -> Option<Self> {
        let data = trigger_data(call)?;
        // SAFETY: the trigger manager's, valid while the trigger runs; the event's bits say which of its tuples are set.
        let (event, new, row) = unsafe { ((*data).tg_event, (*data).tg_newtuple, (*data).tg_trigtuple) };
        let update = pgrx::trigger_fired_by_update(event);
        let is_before_row = pgrx::trigger_fired_for_row(event) && pgrx::trigger_fired_before(event);
        if !is_before_row || !(update || pgrx::trigger_fired_by_insert(event)) {
            return None;
        }
        let (new, old) = if update { (new, Some(row)) } else { (row, None) };
        Some(Self { data, new, old })
    }

    /// The arguments given in CREATE TRIGGER.
    pub fn arguments(&self) -> Vec<String> {
        // SAFETY: tgnargs C strings lie at tgargs.
        unsafe {
            let trigger = &*(*self.data).tg_trigger;
            (0..trigger.tgnargs.max(0) as usize).map(|i| encoding::from_c(*trigger.tgargs.add(i))).collect()
        }
    }

    /// The trigger's name and OID.
    pub fn trigger(&self) -> (String, pg_sys::Oid) {
        // SAFETY: the trigger's description stays while it runs; its name is NUL-terminated.
        unsafe {
            let trigger = &*(*self.data).tg_trigger;
            (encoding::from_c(trigger.tgname), trigger.tgoid)
        }
    }

    /// The table's name, for messages.
    pub fn table(&self) -> String {
        // SAFETY: the relation is open while the trigger runs; its name is NUL-terminated.
        unsafe { encoding::from_c((*(*(*self.data).tg_relation).rd_rel).relname.data.as_ptr()) }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<Column> {
        let name = encoding::to_server(name);
        // SAFETY: the relation's descriptor lives as long as the relation is open; a number that it gave is one of its
        // columns'.
        unsafe {
            let descriptor = (*(*self.data).tg_relation).rd_att;
            let number = pg_sys::SPI_fnumber(descriptor, name.as_ptr());
            if number <= 0 {
                return None;
            }
            let declared = pg_sys::SPI_gettypeid(descriptor, number);
            let type_id = pg_sys::getBaseType(declared);
            let generated = (*super::attribute(descriptor, number)).attgenerated != 0;
            Some(Column { number, declared, type_id, generated })
        }
    }

    /// A column of the row as it will be.
    pub fn new_value(&self, column: Column) -> Value {
        self.value(self.new, column)
    }

    /// A column of the row as it was; `None` also where the row is inserted.
    pub fn old_value(&self, column: Column) -> Value {
        self.old.and_then(|tuple| self.value(tuple, column))
    }

    /// Whether the row is updated (and not inserted).
    pub fn is_update(&self) -> bool {
        self.old.is_some()
    }

    /// Whether the command sets the column: an INSERT sets all, an UPDATE those after SET.
    pub fn sets(&self, column: Column) -> bool {
        // SAFETY: the set of columns is the server's, or NULL for an empty one.
        !self.is_update()
            || unsafe {
                let place = column.number - pg_sys::FirstLowInvalidHeapAttributeNumber;
                pg_sys::bms_is_member(place, (*self.data).tg_updatedcols)
            }
    }

    /// Whether the trigger does not run where an UPDATE sets nothing but this column: it was created with a list of
    /// columns (UPDATE OF ...) that lacks it.
    pub fn misses(&self, column: Column) -> bool {
        // SAFETY: tgnattr numbers lie at tgattr.
        unsafe {
            let trigger = &*(*self.data).tg_trigger;
            let listed = (0..trigger.tgnattr.max(0) as usize).map(|i| i32::from(*trigger.tgattr.add(i)));
            trigger.tgnattr > 0 && !listed.into_iter().any(|number| number == column.number)
        }
    }

    /// Whether a varlena or fixed-size column has the same bytes before and after. Toasted values are compared
    /// by their pointers first: an UPDATE that does not name a column carries its pointer over.
    pub fn unchanged(&self, column: Column) -> bool {
        if !self.is_update() {
            return false;
        }
        match (self.old_value(column), self.new_value(column)) {
            (None, None) => true,
            // SAFETY: both datums are of the column's type; a varlena is first compared as it is stored (a TOAST pointer
            // that was carried over has the same bytes), and only then fetched; the other type is box, which has a
            // fixed size and is passed by reference.
            (Some(old), Some(new)) => unsafe {
                let length = pg_sys::get_typlen(column.type_id);
                let stored = |datum: pg_sys::Datum| {
                    let pointer = datum.cast_mut_ptr::<u8>();
                    let size = usize::try_from(length).unwrap_or_else(|_| pgrx::varsize_any(pointer.cast()));
                    std::slice::from_raw_parts(pointer, size)
                };
                stored(old) == stored(new) || (length == -1 && *Detoasted::new(old) == *Detoasted::new(new))
            },
            _ => false,
        }
    }

    /// The row, unchanged: what the trigger returns.
    pub fn keep(&self) -> Value {
        Some(pg_sys::Datum::from(self.new))
    }

    /// The row with `column` set: what the trigger returns. Raises an ERROR where a domain forbids the value: the server
    /// itself looks no more at what a trigger returns.
    #[allow(clippy::unnecessary_mut_passed, reason = "the arrays are declared mutable before 18, constant since")]
    pub fn with(&self, column: Column, value: Value) -> Value {
        let mut number = column.number;
        let mut null = value.is_none();
        let mut datum = value.unwrap_or(pg_sys::Datum::null());
        // SAFETY: the value is of the type that the domain is made of; the domain's conditions are looked up for this
        // call alone. Then one column, by number, of the relation's own descriptor; the server copies the value.
        unsafe {
            if column.declared != column.type_id {
                let memory = pg_sys::CurrentMemoryContext;
                pg_sys::domain_check(datum, null, column.declared, std::ptr::null_mut(), memory);
            }
            let columns = (*(*self.data).tg_relation).rd_att;
            let tuple = pg_sys::heap_modify_tuple_by_cols(self.new, columns, 1, &mut number, &mut datum, &mut null);
            Some(pg_sys::Datum::from(tuple))
        }
    }

    fn value(&self, tuple: pg_sys::HeapTuple, column: Column) -> Value {
        let mut null = true;
        // SAFETY: the tuple belongs to the relation whose descriptor is used; the column number came from it.
        let datum =
            unsafe { pg_sys::SPI_getbinval(tuple, (*(*self.data).tg_relation).rd_att, column.number, &mut null) };
        (!null).then_some(datum)
    }
}

/// What the trigger manager passes to the running trigger; `None` where the function was called in another way.
pub(super) fn trigger_data(call: &Call<'_>) -> Option<*mut pg_sys::TriggerData> {
    let node = call.context();
    // SAFETY: NULL or a node, whose tag says which struct it is.
    let is_trigger = !node.is_null() && unsafe { (*node).type_ } == pg_sys::NodeTag::T_TriggerData;
    is_trigger.then(|| node.cast())
}
