package androidx.test.runner.lifecycle;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public enum ApplicationStage { PRE_ON_CREATE, CREATED }
