/** Why something of a client does not pass. */
export interface RfcRefusal {
  /** For the client; ASCII. */
  readonly text: string
  /** For the audit log and the one who reads it. */
  readonly reason: string
}

/** What is done with a message: it passes, as it is or changed, or everything ends. */
export type RfcVerdict =
  | { readonly kind: 'pass'; readonly payload: Buffer }
  | { readonly kind: 'drop' }
  | { readonly kind: 'refuse'; readonly refusal: RfcRefusal }
  /** The backend does not keep the protocol. */
  | { readonly kind: 'broken'; readonly reason: string }

/** What a relay asks about every message between client and backend. */
export interface RelayedConversation {
  fromClient(payload: Buffer): RfcVerdict
  fromBackend(payload: Buffer): RfcVerdict
  /** Ends the conversation. What is said to the client with a refusal, and to the backend; `undefined` where nothing can be said in order. */
  refuse(refusal: RfcRefusal): { readonly toClient: Buffer | undefined; readonly toBackend: Buffer | undefined }
  /** `set-up` has a deadline of its own, `ended` lets nothing pass. */
  readonly progress: 'set-up' | 'standing' | 'ended'
}
