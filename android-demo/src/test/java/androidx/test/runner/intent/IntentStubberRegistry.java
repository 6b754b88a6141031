package androidx.test.runner.intent;

/** Stands in for the AndroidX class that Robolectric calls by this name; the original is not on Maven Central. */
public final class IntentStubberRegistry {
    public static boolean isLoaded() {
        return false;
    }

    public static IntentStubber getInstance() {
        throw new IllegalStateException("no intent is stubbed");
    }
}
