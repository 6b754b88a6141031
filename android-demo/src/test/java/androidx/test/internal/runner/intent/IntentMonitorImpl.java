package androidx.test.internal.runner.intent;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public final class IntentMonitorImpl implements androidx.test.runner.intent.IntentMonitor {
    public void signalIntent(android.content.Intent intent) {}
}
