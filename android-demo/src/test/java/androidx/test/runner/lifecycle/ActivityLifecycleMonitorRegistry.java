package androidx.test.runner.lifecycle;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public final class ActivityLifecycleMonitorRegistry {
    private static ActivityLifecycleMonitor instance;

    public static void registerInstance(ActivityLifecycleMonitor monitor) {
        instance = monitor;
    }

    public static ActivityLifecycleMonitor getInstance() {
        return instance;
    }
}
