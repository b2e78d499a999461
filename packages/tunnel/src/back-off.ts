/**
 * The wait before attempt number `failures` + 1: anything between nothing and a ceiling that doubles with each failure
 * (full jitter), so that a thousand connectors which lost the same server do not come back in step.
 *
 * @param random between 0 and 1, as `Math.random`.
 */
export function backOffMs(
  failures: number,
  limits: { readonly floorMs: number; readonly ceilingMs: number },
  random: () => number,
): number {
  // Beyond 30 doublings the ceiling is reached whatever the floor.
  const ceiling = Math.min(limits.ceilingMs, limits.floorMs * 2 ** Math.min(failures, 30))
  return Math.round(ceiling * random())
}
