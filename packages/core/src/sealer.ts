/** Keeps secrets unreadable at rest. `context` is bound into the seal, so that a value cannot be moved to another row. */
export interface Sealer {
  seal(plaintext: string, context: string): string
  /** @throws ConnectivityError `STORE_FAILED` when the text was changed, moved or sealed with a key that is not at hand. */
  open(sealed: string, context: string): string
}
