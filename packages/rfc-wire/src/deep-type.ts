import type { AbapField, AbapType, AbapValue } from './abap-type.ts'

/** A type with tables, or with text of any length in structures: it travels as XML. See protocols.md 11.10. */
export type DeepType =
  | AbapType
  | { readonly kind: 'table'; readonly row: DeepType }
  | { readonly kind: 'components'; readonly components: readonly DeepComponent[] }

/** A component of a structure in XML. */
export interface DeepComponent {
  /** Upper case, as the dictionary has it. */
  readonly name: string
  readonly type: DeepType
}

/** A value as JavaScript has it: what {@link AbapValue} is, lists of rows, and objects that hold both. */
export type DeepValue = Exclude<AbapValue, object> | Buffer | readonly DeepValue[] | { readonly [name: string]: DeepValue }

/** The components of either kind of structure; flat ones need no offsets in XML. */
export function componentsOf(type: DeepType): readonly (DeepComponent | AbapField)[] | undefined {
  if (type.kind === 'components') return type.components
  return type.kind === 'structure' ? type.fields : undefined
}

/** The element of a name: a slash of a namespace, which XML does not have, is written `_-`. */
export function elementOf(name: string): string | undefined {
  const element = name.replaceAll('/', '_-')
  return /^[A-Z_][A-Z0-9_-]*$/.test(element) ? element : undefined
}

/** The element around each row of a table. */
export const rowElement = 'item'
