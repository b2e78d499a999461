import { createMaterialMemory } from '@sallyport/cloud-connector'
import { expect, it } from 'vitest'
import { accessMaterialName, openAccessEditor } from '../access/access-editor.ts'
import { haMaterialName, openHaSettings } from '../high-availability/ha-settings.ts'

const nobody = { write: () => {} }

it.each(['', '{"half":', 'null', '{"more":1}'])('refuses what is stored and is none: %j', async (text) => {
  const material = createMaterialMemory()
  for (const name of [accessMaterialName, haMaterialName]) await material.save(name, text)
  await expect(openAccessEditor(material, nobody)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await expect(openHaSettings(material)).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
