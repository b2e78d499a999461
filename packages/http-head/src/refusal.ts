import type { HeadRefusal, HeadResult } from './types.ts'

/** A head that is not there: refused, or not wholly arrived. */
export type Unfinished = Exclude<HeadResult<never>, { readonly state: 'complete' }>

export const incomplete: Unfinished = { state: 'incomplete' }

/** Made once per reason when the module loads, so that refusing allocates nothing. */
export function refused(status: HeadRefusal['status'], reason: string): Unfinished {
  return { state: 'refused', refusal: { status, reason } }
}

export const bareCarriageReturn: Unfinished = refused(400, 'a carriage return without a line feed')
export const bareLineFeed: Unfinished = refused(400, 'a line feed without a carriage return')
export const headTooLarge: Unfinished = refused(431, 'the head is too large')
