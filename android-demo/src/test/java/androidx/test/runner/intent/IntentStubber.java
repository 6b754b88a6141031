package androidx.test.runner.intent;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public interface IntentStubber {
    android.app.Instrumentation.ActivityResult getActivityResultForIntent(android.content.Intent intent);
}
