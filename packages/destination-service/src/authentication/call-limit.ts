import { ConnectivityError } from '@sallyport/core'

/** Counts calls that go out on account of subaccounts, so that nobody takes all of them. */
export interface CallLimit {
  /** Carries out a call. @throws ConnectivityError `SERVICE_UNAVAILABLE` when too many are under way, in total or for the subaccount. */
  run<T>(subaccountId: string, call: () => Promise<T>): Promise<T>
}

/** Nobody waits for a place: who comes too late is told so, with `refusal`. */
export function createCallLimit(bounds: { readonly total: number; readonly perSubaccount: number }, refusal: string): CallLimit {
  const bySubaccount = new Map<string, number>()
  let all = 0
  return {
    async run(subaccountId, call) {
      const own = bySubaccount.get(subaccountId) ?? 0
      if (all >= bounds.total || own >= bounds.perSubaccount) throw new ConnectivityError('SERVICE_UNAVAILABLE', refusal)
      all++
      bySubaccount.set(subaccountId, own + 1)
      try {
        return await call()
      } finally {
        all--
        const left = (bySubaccount.get(subaccountId) ?? 1) - 1
        if (left === 0) bySubaccount.delete(subaccountId)
        else bySubaccount.set(subaccountId, left)
      }
    },
  }
}
