//! The server's tables of a node's callbacks.

use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{CustomScan, callbacks};

/// The tables of one kind of node. The server keeps pointers to them and compares none.
pub struct Methods<N>(PhantomData<N>);

impl<N: CustomScan> Methods<N> {
    /// What a path names.
    pub const PATH: *const pg_sys::CustomPathMethods = &pg_sys::CustomPathMethods {
        CustomName: N::NAME.as_ptr(),
        PlanCustomPath: Some(callbacks::plan::<N>),
        ReparameterizeCustomPathByChild: None,
    };

    /// What a plan names.
    pub const SCAN: *const pg_sys::CustomScanMethods = &pg_sys::CustomScanMethods {
        CustomName: N::NAME.as_ptr(),
        CreateCustomScanState: Some(callbacks::create::<N>),
    };

    /// What a running node names.
    pub const EXEC: *const pg_sys::CustomExecMethods = if N::IS_SHARED { &Self::SHARED } else { &Self::ALONE };

    const ALONE: pg_sys::CustomExecMethods = pg_sys::CustomExecMethods {
        CustomName: N::NAME.as_ptr(),
        BeginCustomScan: Some(callbacks::begin::<N>),
        ExecCustomScan: Some(callbacks::next::<N>),
        EndCustomScan: Some(callbacks::end::<N>),
        ReScanCustomScan: Some(callbacks::rescan::<N>),
        MarkPosCustomScan: None,
        RestrPosCustomScan: None,
        EstimateDSMCustomScan: None,
        InitializeDSMCustomScan: None,
        ReInitializeDSMCustomScan: None,
        InitializeWorkerCustomScan: None,
        ShutdownCustomScan: None,
        ExplainCustomScan: Some(callbacks::explain::<N>),
    };

    const SHARED: pg_sys::CustomExecMethods = pg_sys::CustomExecMethods {
        EstimateDSMCustomScan: Some(callbacks::shared_size::<N>),
        InitializeDSMCustomScan: Some(callbacks::share::<N>),
        ReInitializeDSMCustomScan: Some(callbacks::share_again::<N>),
        InitializeWorkerCustomScan: Some(callbacks::join::<N>),
        ShutdownCustomScan: Some(callbacks::leave::<N>),
        ..Self::ALONE
    };
}
