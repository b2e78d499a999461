/**
 * Whether a text holds something that looks like the pattern: `*` stands for any characters, `?` for one. Case does not matter. Takes time in proportion to the
 * product of both lengths at worst, whatever the pattern.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const wanted = `*${pattern.toLowerCase()}*`
  const given = text.toLowerCase()
  let at = 0
  let place = 0
  let star = -1
  let starAt = 0
  while (at < given.length) {
    const sign = wanted[place]
    if (sign === '*') {
      star = place++
      starAt = at
    } else if (sign === '?' || sign === given[at]) {
      place++
      at++
    } else if (star >= 0) {
      // The last star takes one character more; an earlier one never has to.
      place = star + 1
      at = ++starAt
    } else return false
  }
  while (wanted[place] === '*') place++
  return place === wanted.length
}
