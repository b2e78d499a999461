import { createMaterialMemory } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { expect, it } from 'vitest'
import { administeredSubaccountSchema } from '../document/administered-subaccount.ts'
import { openConfigurationEditor } from '../document/configuration-editor.ts'
import { createDocumentStore } from '../document/document-store.ts'
import { createInstallation } from './this-installation.ts'

/** An installation with three subaccounts, one of them switched off, whose cloud side takes the named ones. */
async function open(reachable: readonly string[]) {
  const material = createMaterialMemory()
  const editor = await openConfigurationEditor({
    store: createDocumentStore(material, '1.2.3'),
    takeOver: async () => {},
    audit: { write: () => {} },
  })
  const subaccounts = ['a', 'b', 'off'].map((subaccount) =>
    administeredSubaccountSchema.parse({ regionHost: 'region', subaccount, connected: subaccount !== 'off' }),
  )
  await editor.change('test', (document) => ({ ...document, subaccounts }))
  const dialled: string[] = []
  const closed: string[] = []
  const installation = createInstallation({
    editor,
    material,
    version: '1.0.0',
    connector: {
      status: { configuration: { name: '', revision: 0, problem: undefined, warnings: [] }, links: [] },
      add: async () => {},
      remove: async () => {},
      connect: async ({ subaccount }) => void dialled.push(subaccount),
      disconnect: async ({ subaccount }) => void closed.push(subaccount),
      whenConnected: async (_signal, holder) => {
        if (!reachable.includes(holder?.subaccount ?? '')) throw new ConnectivityError('TUNNEL_LOST', 'not taken')
      },
    },
  })
  return { installation, dialled, closed }
}

it.each([
  [[], 0],
  [['b'], 1],
  [['a', 'b', 'off'], 2],
])('of the tunnels that are meant to be open, counts those that the cloud side takes: %j', async (reachable, count) => {
  const { dialled, installation } = await open(reachable)
  expect(await installation.openTunnels()).toBe(count)
  expect(dialled).toEqual(['a', 'b'])
})

it('closes those that are meant to be open', async () => {
  const { closed, installation } = await open([])
  await installation.closeTunnels()
  expect(closed).toEqual(['a', 'b'])
})
