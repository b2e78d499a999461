/** Keeps secrets unreadable at rest. `context` is bound into the seal, so that a value cannot be moved to another row. */
export interface Sealer {
  seal(plaintext: string, context: string): string
  /** @throws ConnectivityError `STORE_FAILED` when the text was changed, moved or sealed with a key that is not at hand. */
  open(sealed: string, context: string): string
}

/** Seals what belongs to a subaccount with a key of that subaccount alone. */
export interface SubaccountSealers {
  /**
   * The sealer of a subaccount. Name the texts that are to be opened with it: their keys may have been made by another process meanwhile. It is good for now,
   * not for later, and must not be asked for within a transaction.
   */
  of(subaccountId: string, ...sealed: readonly string[]): Promise<Sealer>
}
