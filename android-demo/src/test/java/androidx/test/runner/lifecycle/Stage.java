package androidx.test.runner.lifecycle;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public enum Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }
