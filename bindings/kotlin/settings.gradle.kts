// The AAR. Not exercised by CI, which has neither Google's Maven repository nor the Android SDK: see README.md.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}
dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}
rootProject.name = "hpki-agent"
include(":android")
