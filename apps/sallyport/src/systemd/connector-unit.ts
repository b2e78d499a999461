/** What the service runs, and what it is called. */
export interface ConnectorUnit {
  /** Also that of its state folder below `/var/lib`, and without `.service`. */
  readonly name: string
  /** Absolute program and its leading arguments, such as Node and the script. */
  readonly program: readonly string[]
  readonly portOffset: number
  /** Absolute path of a configuration file; without one the connector is administered. */
  readonly configuration: string | undefined
  /** Absolute paths of files beside the configuration that it refers to. */
  readonly referencedFiles: readonly string[]
}

/** First line of every unit that was written here. Others are neither replaced nor removed. */
export const unitMark = '# Written by "sallyport connector service". Changes belong into a drop-in: systemctl edit'

/**
 * Text of a unit that gives the connector a user of its own and, of the machine, its state folder, the network and nothing else.
 *
 * A configuration and the files beside it are handed over as credentials: they stay readable for root alone, and the service has copies that only it can
 * read. It sees changes of them at its next start.
 */
export function formatConnectorUnit({ configuration, name, portOffset, program, referencedFiles }: ConnectorUnit): string {
  const command = [
    ...program.map(quoted),
    '--data',
    `%S/${name}`,
    'serve',
    'connector',
    ...(configuration === undefined ? [] : ['--config', `%d/${configurationCredential}`]),
    ...(portOffset === 0 ? [] : ['--port-offset', String(portOffset)]),
  ]
  const credentials = configuration === undefined ? [] : [[configurationCredential, configuration] as const, ...referencedFiles.map(named)]
  return `${unitMark} ${name}
[Unit]
Description=Cloud connector (${name})
Wants=network-online.target
After=network-online.target nss-lookup.target time-sync.target
# A restart that was asked for counts, too: ten in five minutes are a loop.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart=${command.join(' ')}
WorkingDirectory=%S/${name}
# Ready is said by systemd-notify, a child of the service.
Type=notify
NotifyAccess=all
TimeoutStartSec=90
# Longer than the connector gives requests under way, and itself.
TimeoutStopSec=45
WatchdogSec=120
KillMode=mixed
Restart=on-failure
RestartSec=2
# The connector asks for a new start with this status, after a restore.
RestartForceExitStatus=42
SuccessExitStatus=42

DynamicUser=yes
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
${credentials.map(([id, path]) => `LoadCredential=${id}:${escaped(path)}\n`).join('')}
LimitNOFILE=65536
# What it holds in memory are keys and tokens.
LimitCORE=0

CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
PrivateUsers=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RemoveIPC=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Of these AF_NETLINK is what name resolution and the list of interfaces need, AF_UNIX what systemd-notify needs.
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# Impossible: MemoryDenyWriteExecute, because V8 compiles at run time; ProcSubset=pid, because load and memory of the machine are read from /proc.

[Install]
WantedBy=multi-user.target
`
}

/** Whether a path can stand in a unit: a control character ends its line there or is dropped, a backslash or blank at its end changes what follows. */
export function fitsUnit(path: string): boolean {
  return !/\p{Cc}|[\\\s]$/u.test(path)
}

/** Why a service of this unit would not find its own program, or `undefined`. */
export function explainHiddenProgram(program: readonly string[]): string | undefined {
  const hidden = program.find((path) => hiddenFolders.some((folder) => path.startsWith(`${folder}/`)))
  return hidden === undefined ? undefined : `the service does not see ${hidden}: ${hiddenFolders.join(', ')} are hidden from it`
}

/** By ProtectHome and PrivateTmp. */
const hiddenFolders = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']

/** What the copy of the configuration is called, whatever its file is. */
export const configurationCredential = 'connector.yaml'

function named(path: string): readonly [string, string] {
  return [path.slice(path.lastIndexOf('/') + 1), path]
}

/** A percent sign begins a specifier of systemd. */
function escaped(text: string): string {
  return text.replaceAll('%', '%%')
}

/** One word of a command line of systemd: a dollar sign begins a variable there, and quotes are as in C. */
function quoted(word: string): string {
  const safe = escaped(word).replaceAll('$', '$$$$')
  return /^[\w./%:@+,=~-]+$/.test(safe) ? safe : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
