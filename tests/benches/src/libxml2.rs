//! libxml2's canonicalisation, from the library that the system has.
#![allow(unsafe_code)]

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
};

use libloading::Library;

/// `XML_C14N_1_0`: inclusive.
const C14N_1_0: c_int = 0;
/// `XML_PARSE_NONET`.
const NO_NETWORK: c_int = 1 << 11;

type ReadMemory =
    unsafe extern "C" fn(*const c_char, c_int, *const c_char, *const c_char, c_int) -> *mut c_void;
type C14n =
    unsafe extern "C" fn(*mut c_void, *mut c_void, c_int, *mut *mut c_char, c_int, *mut *mut u8) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void);

/// libxml2, loaded.
pub struct Libxml2 {
    read_memory: ReadMemory,
    c14n: C14n,
    free_document: Free,
    free: Free,
    _library: Library,
}

impl Libxml2 {
    /// `None` where it is not installed (Debian: `libxml2`).
    pub fn load() -> Option<Self> {
        // SAFETY: libxml2 may be loaded at any time; the types are those of parser.h, c14n.h, tree.h and xmlmemory.h,
        // the same since 2.6. `xmlFree` is a variable that holds a function.
        unsafe {
            let names = ["libxml2.so.2", "libxml2.so.16", "libxml2.so", "libxml2.2.dylib"];
            let library = names.iter().find_map(|name| Library::new(*name).ok())?;
            Some(Self {
                read_memory: *library.get::<ReadMemory>(b"xmlReadMemory\0").ok()?,
                c14n: *library.get::<C14n>(b"xmlC14NDocDumpMemory\0").ok()?,
                free_document: *library.get::<Free>(b"xmlFreeDoc\0").ok()?,
                free: **library.get::<*const Free>(b"xmlFree\0").ok()?,
                _library: library,
            })
        }
    }

    /// Parses `xml` and gives the canonical form of the whole document (Canonical XML 1.0, without comments).
    pub fn canonicalize(&self, xml: &[u8]) -> Option<Vec<u8>> {
        let length = c_int::try_from(xml.len()).ok()?;
        let mut canonical: *mut u8 = ptr::null_mut();
        // SAFETY: `xml` lives through the call that reads it; null means no name, encoding, node set and prefixes; the
        // result has as many bytes as is said, and is freed once, as is the document.
        unsafe {
            let document =
                (self.read_memory)(xml.as_ptr().cast(), length, ptr::null(), ptr::null(), NO_NETWORK);
            if document.is_null() {
                return None;
            }
            let written =
                (self.c14n)(document, ptr::null_mut(), C14N_1_0, ptr::null_mut(), 0, &raw mut canonical);
            (self.free_document)(document);
            let written = usize::try_from(written).ok().filter(|_| !canonical.is_null())?;
            let bytes = std::slice::from_raw_parts(canonical, written).to_vec();
            (self.free)(canonical.cast());
            Some(bytes)
        }
    }
}
