//! Canonical XML by libxml2, from the library that the system has: the whole document, or the element of one id as XPath
//! selects it.
#![allow(unsafe_code)]

use std::{
    ffi::{CString, c_char, c_int, c_void},
    ptr,
};

use hpki_agent::signature::Method;
use libloading::Library;

/// `XML_PARSE_NOERROR`, `XML_PARSE_NOWARNING`, `XML_PARSE_NONET`.
const QUIET: c_int = 1 << 5 | 1 << 6 | 1 << 11;

type ReadMemory =
    unsafe extern "C" fn(*const c_char, c_int, *const c_char, *const c_char, c_int) -> *mut c_void;
type C14n =
    unsafe extern "C" fn(*mut c_void, *mut c_void, c_int, *mut *const c_char, c_int, *mut *mut u8) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void);
type NewContext = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type Evaluate = unsafe extern "C" fn(*const c_char, *mut c_void) -> *mut XPathObject;
type FreeObject = unsafe extern "C" fn(*mut XPathObject);
type OnError = unsafe extern "C" fn(*mut c_void, *const c_void);
type SetOnError = unsafe extern "C" fn(*mut c_void, Option<OnError>);

/// The first members of libxml2's `xmlXPathObject`.
#[repr(C)]
struct XPathObject {
    kind: c_int,
    nodes: *mut c_void,
}

/// libxml2, loaded.
pub struct Libxml2 {
    read_memory: ReadMemory,
    c14n: C14n,
    free_document: Free,
    free: Free,
    new_context: NewContext,
    free_context: Free,
    evaluate: Evaluate,
    free_object: FreeObject,
    _library: Library,
}

/// What is canonicalised, and how.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// `None` for the whole document; letters and digits.
    pub id: Option<&'a str>,
    /// By which method.
    pub method: Method,
    /// With comments.
    pub with_comments: bool,
}

unsafe extern "C" fn ignore(_: *mut c_void, _: *const c_void) {}

impl Libxml2 {
    /// `None` where it is not installed (Debian: `libxml2`).
    pub fn load() -> Option<Self> {
        // SAFETY: libxml2 may be loaded at any time; the types are those of parser.h, c14n.h, tree.h, xpath.h, xmlerror.h and
        // xmlmemory.h, the same since 2.6. `xmlFree` is a variable that holds a function.
        unsafe {
            let names = ["libxml2.so.2", "libxml2.so.16", "libxml2.so", "libxml2.2.dylib"];
            let library = names.iter().find_map(|name| Library::new(*name).ok())?;
            let set_on_error = *library.get::<SetOnError>(b"xmlSetStructuredErrorFunc\0").ok()?;
            set_on_error(ptr::null_mut(), Some(ignore));
            Some(Self {
                read_memory: *library.get::<ReadMemory>(b"xmlReadMemory\0").ok()?,
                c14n: *library.get::<C14n>(b"xmlC14NDocDumpMemory\0").ok()?,
                free_document: *library.get::<Free>(b"xmlFreeDoc\0").ok()?,
                free: **library.get::<*const Free>(b"xmlFree\0").ok()?,
                new_context: *library.get::<NewContext>(b"xmlXPathNewContext\0").ok()?,
                free_context: *library.get::<Free>(b"xmlXPathFreeContext\0").ok()?,
                evaluate: *library.get::<Evaluate>(b"xmlXPathEvalExpression\0").ok()?,
                free_object: *library.get::<FreeObject>(b"xmlXPathFreeObject\0").ok()?,
                _library: library,
            })
        }
    }

    /// Parses `xml` and gives its canonical forms, each `None` where libxml2 refuses to; `None` when it does not parse.
    pub fn canonicalize(&self, xml: &[u8], forms: &[Form]) -> Option<Vec<Option<Vec<u8>>>> {
        let length = c_int::try_from(xml.len()).ok()?;
        // SAFETY: `xml` lives through the call that reads it; null means no name and no encoding. The document is freed once,
        // after everything that was made of it.
        unsafe {
            let document = (self.read_memory)(xml.as_ptr().cast(), length, ptr::null(), ptr::null(), QUIET);
            if document.is_null() {
                return None;
            }
            let written = forms.iter().map(|form| self.written(document, form)).collect();
            (self.free_document)(document);
            Some(written)
        }
    }

    /// # Safety
    /// `document` is one that libxml2 has read.
    unsafe fn written(&self, document: *mut c_void, form: &Form) -> Option<Vec<u8>> {
        let Some(id) = form.id else {
            // SAFETY: as the caller says; a null node set is the whole document.
            return unsafe { self.dump(document, ptr::null_mut(), form) };
        };
        let apex = format!("//*[@id='{id}' or @Id='{id}' or @ID='{id}' or @xml:id='{id}']");
        let below = format!("{apex}/descendant-or-self::");
        let query = CString::new(format!("{below}node() | {below}*/@* | {below}*/namespace::*")).ok()?;
        // SAFETY: the context is freed after the object, both once; an object of a node set begins as declared.
        unsafe {
            let context = (self.new_context)(document);
            let found = (self.evaluate)(query.as_ptr(), context);
            let nodes = if found.is_null() { ptr::null_mut() } else { (*found).nodes };
            let written = if nodes.is_null() { None } else { self.dump(document, nodes, form) };
            if !found.is_null() {
                (self.free_object)(found);
            }
            (self.free_context)(context);
            written
        }
    }

    /// # Safety
    /// `document` is one that libxml2 has read, `nodes` null or a node set of it.
    unsafe fn dump(&self, document: *mut c_void, nodes: *mut c_void, form: &Form) -> Option<Vec<u8>> {
        let mode = match form.method {
            Method::Inclusive10 => 0,
            Method::Exclusive => 1,
            Method::Inclusive11 => 2,
        };
        let mut canonical: *mut u8 = ptr::null_mut();
        // SAFETY: as the caller says; the result has as many bytes as is said, and is freed once.
        unsafe {
            let comments = c_int::from(form.with_comments);
            let written = (self.c14n)(document, nodes, mode, ptr::null_mut(), comments, &raw mut canonical);
            let written = usize::try_from(written).ok().filter(|_| !canonical.is_null())?;
            let bytes = std::slice::from_raw_parts(canonical, written).to_vec();
            (self.free)(canonical.cast());
            Some(bytes)
        }
    }
}
