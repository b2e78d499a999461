import { maxVirtualHostBytes } from './limits.ts'

/**
 * Whether a text can be a virtual host: letters, digits, `-`, `_` and single dots, as the HTTP codec has it too. Nothing is ever resolved.
 * The text goes into JSON, logs and answers, so nothing else may pass.
 */
export function isVirtualHost(text: string): boolean {
  return text.length <= maxVirtualHostBytes && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(text)
}
