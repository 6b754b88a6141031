package androidx.test.internal.runner.lifecycle;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public final class ActivityLifecycleMonitorImpl implements androidx.test.runner.lifecycle.ActivityLifecycleMonitor {
    private final java.util.Map<android.app.Activity, androidx.test.runner.lifecycle.Stage> stages = new java.util.WeakHashMap<>();

    public void signalLifecycleChange(androidx.test.runner.lifecycle.Stage stage, android.app.Activity activity) {
        stages.put(activity, stage);
    }

    @Override
    public void addLifecycleCallback(androidx.test.runner.lifecycle.ActivityLifecycleCallback callback) {}

    @Override
    public void removeLifecycleCallback(androidx.test.runner.lifecycle.ActivityLifecycleCallback callback) {}

    @Override
    public androidx.test.runner.lifecycle.Stage getLifecycleStageOf(android.app.Activity activity) {
        return stages.get(activity);
    }

    @Override
    public java.util.Collection<android.app.Activity> getActivitiesInStage(androidx.test.runner.lifecycle.Stage stage) {
        java.util.List<android.app.Activity> found = new java.util.ArrayList<>();
        stages.forEach((activity, its) -> {
            if (its == stage) found.add(activity);
        });
        return found;
    }
}
