import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { findProgram, freePort } from '@sallyport/real-backends'
import type { Contender } from '../contender.ts'
import { accepting, versionOf } from '../processes.ts'

/** `ssh -R` of OpenSSH with the cipher that it chooses by itself: a stream is a channel of one connection. */
export const ssh: Contender = {
  name: 'ssh',
  carries: ['tcp'],
  missing: () =>
    ['sshd', 'ssh', 'ssh-keygen'].map((name) => (findProgram(name) === undefined ? `${name} is not installed` : undefined)).find(Boolean),
  version: () => versionOf('sh', ['-c', 'ssh -V 2>&1']),
  async up(site) {
    const front = await freePort()
    const tunnel = await freePort()
    const file = (name: string): string => join(site.folder, name)
    for (const name of ['user', 'host']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
    copyFileSync(file('user.pub'), file('authorized_keys'))
    // Where root starts it, it changes to a folder that the distribution's start script would have made.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    writeFileSync(
      file('sshd_config'),
      `ListenAddress 127.0.0.1:${tunnel}
HostKey ${file('host')}
PidFile none
AuthorizedKeysFile ${file('authorized_keys')}
PasswordAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
`,
    )
    const cloud = site.start('cloud', findProgram('sshd') ?? 'sshd', ['-D', '-e', '-f', file('sshd_config')])
    await accepting(tunnel, cloud)
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ExitOnForwardFailure=yes']
    const connector = site.start('connector', 'ssh', [
      '-F',
      'none',
      '-N',
      '-T',
      '-i',
      file('user'),
      '-p',
      String(await site.through(tunnel)),
      ...options.flatMap((option) => ['-o', option]),
      '-R',
      `127.0.0.1:${front}:127.0.0.1:${site.target}`,
      `${userInfo().username}@127.0.0.1`,
    ])
    await accepting(front, connector)
    return { front, ends: { cloud, connector } }
  },
}
