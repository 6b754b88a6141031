pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}
dependencyResolutionManagement {
    repositories {
        // The library: `gradle :android:publishReleasePublicationToMavenLocal` in bindings/kotlin
        mavenLocal()
        google()
        mavenCentral()
    }
}
rootProject.name = "android-demo"
