package androidx.test.platform.app;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public final class InstrumentationRegistry {
    private static android.app.Instrumentation instance;

    public static void registerInstance(android.app.Instrumentation instrumentation, android.os.Bundle arguments) {
        instance = instrumentation;
    }

    public static android.app.Instrumentation getInstrumentation() {
        return instance;
    }
}
