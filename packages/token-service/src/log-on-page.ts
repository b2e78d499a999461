import { createHash } from 'node:crypto'

const style = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f5f6f7; color: #1d2d3e }
main { max-width: 22rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: .75rem; box-shadow: 0 0 .5rem #0002 }
h1 { font-size: 1.25rem; margin: 0 0 .25rem } p { margin: .5rem 0 } .error { color: #aa0808 }
label { display: block; margin-top: 1rem } input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit }
button { margin-top: 1.5rem; width: 100%; padding: .6rem; font: inherit; color: #fff; background: #0064d9; border: 0; border-radius: .5rem }
`

const styleHash = createHash('sha256').update(style).digest('base64')

/** Headers of every page. `formTargets` are the origins that a submitted form may lead to: browsers hold the redirects after it to the same list. */
export function pageHeaders(formTargets: readonly string[]): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      `form-action ${["'self'", ...formTargets].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'x-frame-options': 'DENY',
    // Not "no-referrer": browsers would then send our own form with "Origin: null".
    'referrer-policy': 'same-origin',
  }
}

/** The form. It needs no script; `action` holds the whole request again, so that nothing has to be remembered between the two. */
export function logOnPage(page: {
  readonly tenant: string
  readonly application: string
  readonly action: string
  readonly formToken: string
  readonly userName: string
  readonly problem: string | undefined
}): string {
  const problem = page.problem === undefined ? '' : `<p class="error" role="alert">${escapeHtml(page.problem)}</p>`
  return document(
    'Log on',
    `<p>to ${escapeHtml(page.application)} in ${escapeHtml(page.tenant)}</p>${problem}
<form method="post" action="${escapeHtml(page.action)}">
<input type="hidden" name="form_token" value="${escapeHtml(page.formToken)}">
<label>User name <input name="username" value="${escapeHtml(page.userName)}" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log on</button>
</form>`,
  )
}

/** A page that only says something. */
export function messagePage(title: string, text: string): string {
  return document(title, `<p>${escapeHtml(text)}</p>`)
}

function document(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${content}</main></body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
