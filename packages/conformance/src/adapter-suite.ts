import type { Destination, ProtocolClient } from '@sallyport/core'
import type { AdapterCaseName } from './adapter-cases.ts'
import type { AdapterCase, AdapterFeature, AdapterParts } from './adapter-cases/adapter-case.ts'
import type { Claims } from './case.ts'
import type { FarSide } from './far-side.ts'
import { caseLimitMs } from './limits.ts'

export type AdapterSubject<T extends Destination['type'], Client extends ProtocolClient, Far extends FarSide> = AdapterParts<
  T,
  Client,
  Far
> &
  Claims<AdapterFeature, AdapterCaseName>

/** Runs one case outside of a test runner's table, for example against an adapter that is broken on purpose. */
export async function runAdapterCase<T extends Destination['type'], Client extends ProtocolClient, Far extends FarSide>(
  test: AdapterCase,
  parts: AdapterParts<T, Client, Far>,
): Promise<void> {
  await using far = await parts.open()
  await test.run({
    // The cases hand back to the parts only what the parts have made; the types in between do not matter to them.
    parts: parts as unknown as AdapterParts<Destination['type'], ProtocolClient, FarSide>,
    far,
    signal: AbortSignal.timeout(parts.limitMs ?? caseLimitMs),
  })
}
