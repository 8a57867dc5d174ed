import { expectThat } from './step-failure.ts';

/** Fields of an answer, as they came. */
export type Answer = Readonly<Record<string, unknown>>;

export interface Api {
  /** Calls the API. Throws `StepFailure` when the status is not the one expected. */
  call(method: string, path: string, expected: number, body?: unknown): Promise<Answer>;
}

/** The API as an administrator of one organisation. */
export function createApi(url: string, adminKey: string, org: string): Api {
  return {
    async call(method, path, expected, body) {
      const response = await fetch(`${url}/api${path}`, {
        method,
        headers: { 'x-api-key': adminKey, 'x-organization-id': org, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const answer = (text === '' ? {} : JSON.parse(text)) as Answer;
      const said = typeof answer.message === 'string' ? `: ${answer.message}` : '';
      expectThat(response.status === expected, `${method} ${path} answered ${response.status}${said}`);
      return answer;
    },
  };
}

/** A text of an answer. Throws `StepFailure` when it is none. */
export function textOf(answer: Answer, name: string): string {
  const value = answer[name];
  expectThat(typeof value === 'string' && value !== '', `the answer has no ${name}`);
  return value;
}
