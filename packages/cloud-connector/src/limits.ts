import type { HeadLimits } from '@sallyport/http-head'

/** Heads of requests as the original documents them: 8 kB for the request line, 64 kB for all headers. */
export const requestHeadLimits: HeadLimits = { maxLineBytes: 8192, maxHeaderCount: 256, maxHeadBytes: 65_536 }

/** Heads of responses. The original stops at 8 kB; backends with many cookies send more, and 64 kB is what one socket read holds. */
export const responseHeadLimits: HeadLimits = { maxLineBytes: 16_384, maxHeaderCount: 256, maxHeadBytes: 65_536 }

/** Interim answers (1xx) to one request. Progress reports (102) come every few seconds at most; more is a backend gone wild. */
export const maxInterimAnswers = 64

/** Percent-decodings that are looked at for dot segments. Real paths need one, SAP's double-encoded OData keys two. */
export const maxPathDecodings = 3

/** Blocks into which small pieces of a stream are gathered while they wait: without it, single bytes would cost a hundred each. */
export const waitingBlockBytes = 16_384

/** Bytes that may wait in a backend socket before the stream is slowed down: four reads, so that a turn's worth never stalls. */
export const backendBufferBytes = 262_144

/** Body of a refused request that is read and thrown away so that the connection can be used again; beyond it the connection is closed. */
export const maxDiscardedBodyBytes = 65_536

/** A request that has begun must go on within this time: head and body of the cloud side. Five minutes are what nginx and SAP's ICM wait at most. */
export const requestStallMs = 300_000

/** After an answer that came before its request was complete, the rest of the request is read and thrown away for so long at most. */
export const lingerMs = 5_000

/** After a backend has reset its reading side, its answer may still be on the way; one round trip across a slow network. */
export const lateAnswerMs = 1_000

/** How often waiting streams are looked at; a time-out is late by this much at most. */
export const deadlineResolutionMs = 250

/** Text of a path or reason in an answer or audit entry. */
export const maxShownTextLength = 512

/** Resources that a refusal's event lists as admitted. */
export const maxAdmittedShown = 20

/** Body of a SOAP request that is held back until it names its function: an envelope has its header in front of that, of a few kB. */
export const maxInspectedBodyBytes = 65_536

/** The same body with the framing of its chunks: extensions of chunks could be a hundred times as long as what they frame. */
export const maxHeldBodyBytes: number = 128 * 1024

/** How much of such a body has to come before it is read again. */
export const soapReadingStepBytes = 1024

/** Levels of elements in the header of such a body. */
export const maxXmlDepth = 64

/** Set-up of an RFC conversation up to the answer to its logon. Four round trips and a logon; whoever takes longer is not setting up anything. */
export const rfcSetupMs = 30_000

/** Silence of a gateway after which it is pinged: half of what firewalls forget connections after, with reserve. */
export const rfcPingMs = 300_000

/** Silence after a ping that shows a gateway to be gone. */
export const rfcDeadPeerMs = 60_000

/** Answer of a SAProuter: an error is a dozen short lines. */
export const maxRouterAnswerBytes = 32_768

/** Answer of a message server to a login or a group: a few hundred bytes. */
export const maxMessageServerAnswerBytes = 4096

/** Longest wait of a proxy for a TCP connection that is believed. */
export const maxTcpConnectMs = 120_000

/** A configuration file: 100,000 resources of 150 bytes. */
export const maxConfigurationBytes: number = 32 * 1024 * 1024

/** A referenced certificate or key file: a bundle of all public authorities is 220 kB. */
export const maxReferencedFileBytes: number = 4 * 1024 * 1024

/** Problems of a configuration that are reported; the rest is counted. */
export const maxReportedProblems = 100

/** Editors write a file in several steps; a change is read when it has been quiet for so long. */
export const configurationSettleMs = 150

/** Interval of automatic trust synchronisation, besides that at every connect and on every notice. */
export const trustIntervalMs = 3_600_000

/** Subaccount certificates are renewed this long before they expire (the original: 30 days threshold and 7 more), again 12 h after a failure. */
export const renewalLeadMs: number = 37 * 86_400_000
export const renewalRetryMs: number = 12 * 3_600_000

/** Largest share of a certificate's whole life that the lead may take, so that short-lived certificates are not renewed at once. */
export const renewalLeadShare: number = 1 / 3

/** How often it is looked whether a certificate is due: timers cannot wait for months. */
export const renewalCheckMs: number = 6 * 3_600_000

/** Answer of the connectivity service to a pairing: two certificates and names. */
export const maxPairingAnswerBytes = 262_144
export const pairingTimeoutMs = 30_000

/** Longest text of an audit entry's fields. */
export const maxAuditFieldLength = 4096

/** Audit entries that wait for the disk: 10 s of the highest load. Beyond them the log is failing and access is denied. */
export const maxPendingAuditEntries = 150_000

/** Audit segments that are open at once, with two files each: operating systems give a process as few as 1024, and connections need most of them. */
export const maxOpenAuditSegments = 100

/** How long audit entries are gathered under load before they are written: a crash of the process loses so much, and a write per entry costs more than the entry. */
export const auditGatherMs = 5

/** How long an accepted audit entry may wait for stable storage. */
export const auditSyncMs = 1_000

/** How soon a failed audit write is tried again. */
export const auditRetryMs = 1_000

/** One line of an audit segment when it is verified: fields at their longest, every character escaped. */
export const maxAuditLineBytes = 65_536

/** Entries that one seal covers, together: what comes in a few milliseconds of the highest load. More begin the next block. */
export const maxAuditBlockCharacters = 32_768

/** One block when the end of a segment is checked: its characters in UTF-8, and a last line that is as long as one can be. */
export const maxAuditBlockBytes: number = 3 * maxAuditBlockCharacters + maxAuditLineBytes

/** Characters of a subaccount's folder below the audit folder: a file name in it repeats them, and file systems stop at 255. */
export const maxFolderNameLength = 200

/** Body of a request to the administration listener: the largest names some thousand resources. Uploads have a limit of their own. */
export const maxAdminBodyBytes = 1_048_576

/** A member of a path of the administration API: the id of a resource, every character of it escaped. Beyond it there is nothing of that name. */
export const maxAdminPathMemberLength = 16_384

/** Time a request to the administration listener has to arrive as a whole. */
export const adminRequestTimeoutMs = 10_000

/** Connections to the administration listener: administrators and a few monitoring agents. */
export const maxAdminConnections = 100

/** Calls that the list of recent requests holds, as in the original; the list of those that took longest is as long. */
export const recentRequestCount = 50
export const maxTopTimeConsumers = 50

/** Hours for which usage, that of service channels too, is shown one by one. */
export const usageHours = 24

/** Resources of one subaccount and location whose use is counted, at 2 kB each; the use of further ones counts for their virtual host alone. */
export const maxCountedResources = 10_000

/** Files of the connector that are added up for its share of the disk. */
export const maxProbedFiles = 20_000

/** How often processors and memory, and the disk, are looked at, and for how long that is shown: the original's hardware monitor. */
export const hardwareSampleMs = 15_000
export const diskSampleMs = 60_000
export const hardwareHistoryMs = 86_400_000

/** How often the history of the machine is kept: it is 250 kB, and a crash loses so much of it. */
export const hardwareSaveMs = 300_000

/** How often everything that can be wrong is looked at. */
export const healthCheckMs = 60_000

/** How long one look of the health check may take: a network drive can hang. */
export const healthProbeMs = 30_000

/** How often an alert about a certificate is repeated while nobody does anything about it. */
export const certificateRepeatMs = 86_400_000

/** Alerts that are kept, the oldest go first. */
export const maxAlerts = 500

/** Alerts that wait to be sent. When nobody takes them for so long, later ones are in the list alone. */
export const maxWaitingAlerts = 100

/** How often an alert is sent, and how long after a failure: 5 s, 25 s, about two minutes. */
export const alertAttempts = 4
export const alertRetryMs = 5_000

/** Time that sending one alert may take. */
export const alertDeliveryMs = 30_000

/** Full files of a trace that are kept, as in the original: with the default of 50 MB each, one GB. */
export const keptTraceFiles = 20

/** Characters of a trace that wait for the disk; more are left out, because tracing must not take the memory of what is traced. */
export const maxPendingTraceCharacters: number = 16 * 1024 * 1024

/** How often usage statistics are kept: a crash loses so much. */
export const usageSaveMs = 60_000

/** Time an open request has when the connector stops. */
export const defaultDrainMs = 30_000

/** How long the cloud side has to lead a client of a service channel to its service; clients of databases give up after 15 to 30 s. */
export const channelAnswerMs = 15_000

/** How much longer we wait for that answer, which travels as well. Overflow: the client is reset. */
export const channelAnswerSlackMs = 2_000

/** A port that somebody else has is tried again after so long. */
export const channelRetryMs = 5_000

/** Clients of a service channel that say nothing are probed after so long, so that those that are gone are noticed. */
export const channelKeepAliveMs = 60_000

/** Physical connections of a tunnel: one for what is small, one for bulk; service channels may ask for more, up to what a connection of the tunnel can have. */
export const usualTunnelLanes = 2
export const maxTunnelLanes = 16

/** How long a backend may take to answer the question whether it is there; an answer to HEAD needs no work. */
export const reachabilityAnswerMs = 10_000

/** Name of a user that a ticket is asked for: directories allow 256 characters for the longest of their names. */
export const maxPrincipalNameLength = 256

/** Keys of a keytab: a service user has one for each encryption type and each of its last passwords. */
export const maxKeytabEntries = 1000

/** Standard output and error of one program of MIT Kerberos: a sentence. */
export const maxProgramOutputBytes = 65_536

/** Tickets that are made at the same time; each has a child process of about 40 MB and takes some 20 ms besides what the KDC takes. Others wait for one of these places. */
export const maxTicketPlaces = 4
export const maxWaitingTickets = 500

/** Time for one ticket, the wait for a place included: two or three questions to the KDC, and a second KDC when the first is down. */
export const ticketMs = 10_000

/** A token as Active Directory makes them at most (48 000 bytes); its base64 has to fit between the other headers. */
export const maxTicketBytes = 48_000

/** The service user is logged on anew after so long. Its ticket is good for hours, but what is changed at the KDC should not take hours to count. */
export const ticketGrantingMs = 1_800_000

/** A log-on of the service user that has failed is not tried again for so long: domains lock users out who come with a wrong key too often. */
export const serviceLogonRetryMs = 5_000

/** Processes, caches and the copy of the keytab are removed when no ticket has been asked for so long. */
export const ticketIdleMs = 60_000

/** Applications that are listed with their open streams, for each tunnel: more than people read. Those with fewer streams are left out. */
export const maxShownApplications = 100

/** Levels of a configuration that the quick parser of YAML takes; what people write has about ten. Deeper ones are left to the parser that knows places. */
export const maxPlainYamlDepth = 64
