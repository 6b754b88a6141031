package jp.hpki.demo

import android.app.Activity
import android.app.Application
import android.os.Bundle
import java.lang.ref.WeakReference
import jp.hpki.demo.journey.Journey
import kotlinx.coroutines.MainScope

/** The process. It holds the journey, which outlives each window: a phone that is turned round loses nothing. */
open class DemoApp : Application() {
    /** What differs between a phone and a test. */
    protected open fun environment(): Environment = Environment(this)

    val environment: Environment by lazy { environment() }
    open val journey: Journey by lazy { Journey(environment, MainScope()) }

    private var front = WeakReference<Activity>(null)

    /** The window in front, over which the platform asks for the doctor's biometrics; null when there is none. */
    fun front(): Activity? = front.get()

    override fun onCreate() {
        super.onCreate()
        registerActivityLifecycleCallbacks(Front())
    }

    private inner class Front : ActivityLifecycleCallbacks {
        override fun onActivityResumed(activity: Activity) {
            front = WeakReference(activity)
        }

        override fun onActivityDestroyed(activity: Activity) {
            if (front.get() === activity) front.clear()
        }

        override fun onActivityCreated(activity: Activity, state: Bundle?) = Unit

        override fun onActivityStarted(activity: Activity) = Unit

        override fun onActivityPaused(activity: Activity) = Unit

        override fun onActivityStopped(activity: Activity) = Unit

        override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) = Unit
    }
}
