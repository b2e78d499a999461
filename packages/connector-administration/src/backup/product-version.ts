/** Whether a version such as `2.19.0` is older than another; parts that are missing or no numbers count as 0. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [partsOf(version), partsOf(than)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

function partsOf(version: string): readonly number[] {
  return version.split(/[.-]/).map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : 0))
}
