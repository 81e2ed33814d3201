/** What a rule of the spec answers: yes, or which rule said no and why. Never thrown. */
export type Verdict = Readonly<{ ok: true }> | Denial
export type Denial = Readonly<{ ok: false; rule: string; why: string }>

export const allow: Verdict = { ok: true }

/** `rule` is the spec's own numbering, such as `auth.5.3.2`; `why` is a sentence for people. */
export const deny = (rule: string, why: string): Denial => ({ ok: false, rule, why })
