package jp.hpki.demo.pages

import android.net.Uri
import android.view.View
import jp.hpki.demo.MainActivity
import jp.hpki.demo.journey.Journey
import jp.hpki.demo.journey.Screen
import jp.hpki.demo.journey.State
import jp.hpki.demo.ui.Ui

/** What stands in the window for a screen. Built once, then brought up to date. */
interface Page {
    val view: View

    /** Whether this page can show [screen], too, instead of a new one. */
    fun keep(screen: Screen): Boolean

    fun update(state: State) = Unit

    /** A file or photo that the page asked for. */
    fun received(uri: Uri) = Unit

    fun permissionsChanged() = Unit

    /** The window is in front, or the page is new in it. */
    fun shown() = Unit

    /** The window is covered or gone: a call, another app, the lock. */
    fun hidden() = Unit
}

/** A page that never changes. */
class Still(val screen: Screen, override val view: View) : Page {
    override fun keep(screen: Screen) = screen === this.screen
}

/** The page for a window of this size. */
fun pageInWindow(screen: Screen, ui: Ui, window: MainActivity, journey: Journey): Page =
    if (ui.wide && screen is Screen.BesideInbox) Panes(ui, window, journey) else page(screen, ui, window, journey)

/** The page of a screen, in the order of the journey. */
fun page(screen: Screen, ui: Ui, window: MainActivity, journey: Journey): Page = when (screen) {
    is Screen.Busy -> Still(screen, busy(ui))
    is Screen.Welcome -> Still(screen, welcome(ui, journey))
    is Screen.Scan -> ScanPage(ui, window, journey)
    is Screen.Code -> CodePage(screen, ui, journey)
    is Screen.Registering -> ProgressPage(ui)
    is Screen.IsThisYou -> Still(screen, isThisYou(screen, ui, journey))
    is Screen.Inbox -> InboxPage(ui, journey)
    is Screen.Review -> ReviewPage(screen, ui, journey)
    is Screen.Refused -> Still(screen, refused(screen, ui, journey))
    is Screen.Decline -> DeclinePage(screen, ui, journey)
    is Screen.Signing -> ProgressPage(ui)
    is Screen.Results -> Still(screen, results(screen, ui, journey))
    is Screen.Record -> RecordPage(screen, ui, window, journey)
    is Screen.Settings -> Still(screen, settings(screen, ui, journey))
    is Screen.Remove -> Still(screen, remove(screen, ui, journey))
    is Screen.Licences -> Still(screen, licences(ui, journey))
    is Screen.Problem -> Still(screen, problem(screen, ui, window, journey))
    is Screen.Locked -> Still(screen, locked(ui, window, journey))
}
