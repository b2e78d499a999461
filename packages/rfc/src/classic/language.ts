/** SAP's code of one character for the ISO codes that systems know; the table T002 of every system has it. */
const sapCodes: Readonly<Record<string, string>> = {
  AF: 'a',
  AR: 'A',
  BG: 'W',
  CA: 'c',
  CS: 'C',
  DA: 'K',
  DE: 'D',
  EL: 'G',
  EN: 'E',
  ES: 'S',
  ET: '9',
  FI: 'U',
  FR: 'F',
  HE: 'B',
  HR: '6',
  HU: 'H',
  ID: 'i',
  IS: 'b',
  IT: 'I',
  JA: 'J',
  KO: '3',
  LT: 'X',
  LV: 'Y',
  MS: '7',
  NL: 'N',
  NO: 'O',
  PL: 'L',
  PT: 'P',
  RO: '4',
  RU: 'R',
  SH: 'd',
  SK: 'Q',
  SL: '5',
  SR: '0',
  SV: 'V',
  TH: '2',
  TR: 'T',
  UK: '8',
  Z1: 'Z',
  ZF: 'M',
  ZH: '1',
}

/** The language of a logon in SAP's code; `undefined` for one that has no code of a letter or digit. */
export function sapLanguage(language: string): string | undefined {
  if (/^[A-Za-z0-9]$/.test(language)) return language
  const iso = language.toUpperCase()
  return Object.hasOwn(sapCodes, iso) ? sapCodes[iso] : undefined
}
