import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { skipUnlessRoot } from '@sallyport/real-backends'
import { expect, it } from 'vitest'
import { createInstallation } from '../e2e/installation.ts'

/** One of those that systemd gives to services with users of their own. */
const serviceUser = 61_319

it.skipIf(skipUnlessRoot())(
  'what root changes in the folder of another user belongs to that user, who does not get there by its path',
  async () => {
    // Below a folder that root alone enters, as below /var/lib/private.
    await using installation = await createInstallation()
    expect(statSync(installation.folder).mode & 0o777).toBe(0o700)
    await installation.dev()
    const data = installation.file('state')
    mkdirSync(data, { mode: 0o700 })
    chownSync(data, serviceUser, serviceUser)
    const { code, server } = await installation.json<{ code: string; server: string }>(['connector', 'code'])
    const init = ['connector', 'init', '--server', server, '--authority', join(installation.data, 'ca.crt'), '--code-file', '-']
    expect(await installation.run(init, { data, input: code })).toMatchObject({ code: 0 })
    expect(ownersBelow(data)).toEqual([serviceUser])
    expect(await installation.run(['connector', 'user', 'reset'], { data })).toMatchObject({ code: 0 })
    expect(await installation.run(['connector', 'change-role', 'master'], { data })).toMatchObject({ code: 0 })
    expect(ownersBelow(data)).toEqual([serviceUser])
    const verified = await installation.run(['audit', 'verify'], { data })
    expect(verified.stderr).toContain('there is no audit log')
    expect(ownersBelow(data)).toEqual([serviceUser])
    expect(readdirSync(data).toSorted()).toEqual(['connector', 'seal.key'])
  },
  // Seven starts of a command.
  60_000,
)

/** Every user to whom something belongs there. */
function ownersBelow(folder: string): readonly number[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  expect(paths).toContain(join('connector', 'id'))
  return [...new Set(paths.map((path) => statSync(join(folder, path)).uid))]
}
