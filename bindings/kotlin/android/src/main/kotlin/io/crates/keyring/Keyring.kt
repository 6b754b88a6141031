package io.crates.keyring

import android.content.Context

/** Gives native code the app's context. Package, names and signature are those that its JNI function is exported under. */
internal class Keyring {
    companion object {
        init {
            System.loadLibrary("hpki_agent_bindings")
        }

        /** Remembers the context for the whole process; a second call does nothing. */
        external fun initializeNdkContext(context: Context)
    }
}
