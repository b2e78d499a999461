/** The first line of a text, and how many more there are: for places that have room for one. */
export function firstLine(text: string): string {
  const [first = '', ...rest] = text.trimEnd().split('\n')
  return rest.length === 0 ? first : `${first} (and ${rest.length} more)`
}
