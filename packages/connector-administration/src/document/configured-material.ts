import type { MaterialStore } from '@sallyport/cloud-connector'

/** Kinds of material that belong to the configuration of subaccounts, as names begin; what is measured, and what each instance has for itself, does not. */
const kinds = ['identity ', 'trust ', 'system ', 'principal-ca ']

/** Whether material of this name belongs to the configuration of a subaccount. */
function isConfigured(name: string): boolean {
  return kinds.some((kind) => name.startsWith(kind))
}

/** The material of these names, or of all subaccounts. */
export async function readMaterial(material: MaterialStore, others: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
  const names = (await material.names()).filter((name) => isConfigured(name) || others.includes(name))
  const texts = await Promise.all(names.map(async (name) => [name, await material.load(name)] as const))
  return Object.fromEntries(texts.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))
}

/** Makes the material of all subaccounts, and of these names, what it is elsewhere: with `wanted`, and without what is not in it. */
export async function replaceMaterial(
  material: MaterialStore,
  wanted: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): Promise<void> {
  for (const [name, text] of Object.entries(wanted)) {
    const meant = isConfigured(name) || others.includes(name)
    if (meant && (await material.load(name)) !== text) await material.save(name, text)
  }
  for (const name of await material.names()) if (isConfigured(name) && !Object.hasOwn(wanted, name)) await material.remove(name)
}
