/** Length of an uploaded file of the administration API: certificates and key stores have some kilobytes, backups some megabytes. */
export const maxUploadBytes = 33_554_432

/** A JSON body of the administration API: a list of ten thousand blocked users. Beyond it the answer is 413. */
export const maxJsonBodyBytes = 1_048_576
/** Certificates that are signed with their own key are valid for a year unless it is told, for ten at most, and from an hour ago on, as the original's are: clocks differ. */
export const selfSignedDays = 365
export const maxSelfSignedDays = 3650
export const selfSignedBackdateMs = 3_600_000

/** A session ends when it has not been used for so long: what administrators are used to from web pages. */
export const sessionIdleMs = 1_800_000

/** A session ends after so long even when it is used: a working day. Roles of a directory are looked up at log-on. */
export const sessionLifeMs = 43_200_000

/** Sessions that have been used after their log-on: many times the people who administer one connector. The one that was used longest ago gives way. */
export const maxUsedSessions = 1000

/** Sessions that have never been used again, such as those of clients that log on with every call. The oldest gives way. */
export const maxNewSessions = 1000

/** Base64 of user and password; longer ones are not looked at. */
export const maxCredentialsCharacters = 2048

/** A backup is encrypted under scrypt with N = 2^17, r = 8, p = 1 (OWASP): 128 MiB and about half a second per guess. An archive may ask for eight times that. */
export const backupScryptCost = 17
export const maxBackupScryptCost = 20

/** What an uploaded archive may hold when it is unpacked: some hundred thousand resources. Beyond it the archive is refused. */
export const maxUnpackedBytes = 134_217_728
export const maxZipEntries = 1_000

/** Authentication data of a subaccount: a chain of three certificates, and a few names. Beyond it, it is none. */
export const maxAuthenticationDataLength = 65_536

/** How long a request waits for a tunnel that it has opened. Afterwards the answer tells the state as it is, and the attempts go on. */
export const tunnelWaitMs = 10_000

/** How long a request waits for a service channel that it has enabled: a little longer than the 17 s in which the cloud side has to reach the service. Beyond it the channel is disabled again. */
export const channelServedWaitMs = 20_000

/** Regions that can be added. */
export const maxCustomRegions = 100
/** Time to connect to a directory, and for each of its answers, unless its rules say otherwise: what the original waits. */
export const defaultLdapTimeoutMs = 5000

/** Longest time that the rules of a directory may give: longer than people wait for a log-on. */
export const maxLdapTimeoutMs = 60_000

/** Groups of one user that are read from a directory. Beyond them the log-on fails, instead of forgetting roles. */
export const maxLdapGroups = 1000

/** A configuration that a master sends to its shadow: some hundred thousand resources. */
export const maxSnapshotBytes = 134_217_728

/** How long the transfer of a configuration, or a take-over, may take: tunnels of many subaccounts are opened meanwhile. */
export const snapshotTimeoutMs = 60_000

/** How often a master takes tunnels back that have been replaced while its shadow stands by: a copy of the installation elsewhere would be chased more often. */
export const takeBackIntervalMs = 60_000

/** How long the transfer of a configuration may stand still: the shadow looks after nobody meanwhile, so it adds to a take-over. */
export const snapshotStallMs = 5_000

/** A master takes its shadow for lost after three silent check intervals, as the original does; only then another one may register. */
export const lostAfterIntervals = 3

/** How long a change waits for the shadow, and then for the cloud side, before its answer says that nobody has confirmed it: a transfer takes milliseconds. */
export const confirmPatienceMs = 5_000

/**
 * A master acknowledges nothing that its shadow lacks for as long as the shadow needs at most to take over, and never longer than this: a pair that is set to
 * wait for hours would refuse to confirm anything for hours when its shadow is down.
 */
export const maxFenceMs = 600_000

/** Documents kept of masters that were replaced before their shadow had everything; the oldest goes. Each is as large as the configuration. */
export const maxReplacedDocuments = 5

/** How long a shadow leaves its master alone that restores a backup and starts again: that takes seconds, and somebody is there. Afterwards nobody would serve. */
export const restoreHoldMs = 300_000

/** How soon a shadow asks a silent master again, and a master pushes again to a shadow that did not take a configuration. */
export const firstRetryMs = 1_000
export const maxRetryMs = 10_000

/** How long a shadow tries to open tunnels before it gives a take-over up: a cloud side that is there answers within seconds. */
export const takeOverPatienceMs = 15_000

/** How long clients of service channels may finish at most after their connector has given its role away: an hour, which the cloud side allows as well. */
export const maxChannelGraceMinutes = 60

/** How long a certificate is tried to be renewed by itself, every twelve hours, before people have to do it. */
export const renewalGiveUpMs = 604_800_000

/** Backends whose availability is remembered; the one that was checked longest ago gives way. */
export const maxAvailabilityResults = 10_000

/** A token whose effect is asked for: above what a request can carry, so that a longer one is refused as the data path does. */
export const maxSimulatedTokenCharacters = 16_384

/** How often generated certificates are looked at, whether one is to be renewed: the shortest time before an end is twelve hours. */
export const generatedRenewalCheckMs = 3_600_000

/** A keytab: a key of 100 bytes for each encryption type and each password that a service user has had for years. */
export const maxKeytabBytes = 65_536
/** Text on the log-on page: a screen of it. */
export const maxLoginInformationLength = 10_000

/** The heap that a connector needs to start and to serve some tunnels; with less it could not be told better any more. */
export const smallestHeapBytes = 134_217_728

/** Answers of an original that is migrated: those of the largest installations that we know of, ten times. One holds the resources of a mapping. */
export const maxMigratedAnswers = 200_000

/** Within this time refused log-ons of an address are counted for the audit log, as long as a lock of a user lasts. */
export const refusalsPeriodMs = 300_000
/** Wrong passwords of an address that the audit log tells in that time: enough for many people behind one address. Others are counted. */
export const maxToldRefusals = 100
/** Refused certificates of an address that the audit log tells in that time; showing one costs nothing. */
export const maxToldCertificateRefusals = 5
/** Addresses whose refusals are counted at a time; the oldest gives way. */
export const maxRefusalAddresses = 10_000
/** Characters of a name that the audit log tells of a refused log-on; longer ones are cut. */
export const maxToldNameLength = 100
