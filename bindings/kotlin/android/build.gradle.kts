// The AAR: façade, generated code for Android, key vault and native libraries in one. Not exercised by CI.
plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.2.21"
    id("maven-publish")
}

val kotlinFolder: File = rootProject.projectDir
val generated = layout.buildDirectory.dir("generated/uniffi")
val nativeLibraries = layout.buildDirectory.dir("jniLibs")

android {
    namespace = "jp.hpki.agent.android"
    compileSdk = 35
    defaultConfig {
        minSdk = 28
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets["main"].apply {
        kotlin.srcDirs("src/main/kotlin", "$kotlinFolder/agent/src/main/kotlin", generated.map { it.dir("android") })
        jniLibs.srcDirs(nativeLibraries)
    }
    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin {
    compilerOptions { jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17) }
}

// Sources come from the unstripped library of this machine; what ships is built for phones, aligned to 16 KiB pages.
val generateKotlin by tasks.registering(Exec::class) {
    commandLine("$kotlinFolder/generate", generated.get().asFile.path)
}
val buildNative by tasks.registering(Exec::class) {
    commandLine("$kotlinFolder/../android/ndk", nativeLibraries.get().asFile.path)
}
tasks.named("preBuild") { dependsOn(generateKotlin, buildNative) }

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    implementation("net.java.dev.jna:jna:5.18.1@aar")
    implementation("androidx.annotation:annotation:1.9.1")
}

publishing {
    publications {
        register<MavenPublication>("release") {
            groupId = "jp.hpki.agent"
            artifactId = "hpki-agent-android"
            version = "0.1.0"
            afterEvaluate { from(components["release"]) }
        }
    }
}
