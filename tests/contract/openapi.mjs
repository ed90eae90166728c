// Checks docs/openapi.yaml itself, and checks exchanges against it.
//
// Ajv validates JSON Schema, and @seriousme/openapi-schema-validator validates the form of the document. This file
// selects the schema: the operation by path and method, the response by status, the schema by media type or header
// name.

import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];

// Headers of HTTP itself, which the document describes once in its text. Every other header of a response must be
// documented with that response.
const GENERAL_HEADERS = new Set(['cache-control', 'connection', 'content-length', 'content-type', 'date', 'keep-alive', 'server',
  'transfer-encoding', 'x-content-type-options', 'x-request-id']);

// Text in lines, each of which matches the `x-line-schema` beside the schema.
const NDJSON = 'application/x-ndjson';
const IS_JSON = /[/+](x-nd)?json$/;
const jsonLines = (body) => body.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

// The members of responses whose text is for a human reader.
const MESSAGE_MEMBERS = ['title', 'message', 'detail', 'error', 'reason'];

// The message with ids, numbers and quoted names replaced by placeholders.
const shape = (message) => message.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/[0-9]+/g, 'N').replace(/'[^']*'/g, "''");

// The members that count or measure what a run did, and those that name what it made. Their values differ between runs.
const VOLATILE_MEMBERS = new Set(['decided', 'durable', 'persisted', 'position', 'files', 'bytes', 'bytes_linked', 'folder', 'next_cursor', 'next']);

// Returns the text of a JSON value as a test can compare it: members in their order, with ids, times and what VOLATILE_MEMBERS names replaced.
const comparable = (value) => JSON.stringify(value, (name, member) => {
  if (VOLATILE_MEMBERS.has(name) && member !== null) return `<${name}>`;
  if (typeof member !== 'string') return member;
  return member.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>').replace(/<id>:\d+/g, '<event>').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>');
});

// Not those of events: their member message is a GUID.
function messagesIn(value) {
  if (value === null || typeof value !== 'object' || 'position' in value) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    (typeof member === 'string' && MESSAGE_MEMBERS.includes(name) ? [member] : messagesIn(member)));
}

const escape = (name) => encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1'));

export class OpenApi {
  constructor(text) {
    this.text = text;
    this.document = parse(text);
    const options = { allErrors: true, strict: true, strictTypes: false, strictRequired: false, validateFormats: true };
    this.bodies_ = addFormats(new Ajv({ ...options }));
    this.texts_ = addFormats(new Ajv({ ...options, coerceTypes: true })); // headers and parameters arrive as text
    this.compiled_ = new Map();
    for (const ajv of [this.bodies_, this.texts_]) {
      ajv.addVocabulary(Object.keys(this.document)); // so that Ajv accepts the document as a schema with unknown members
      ajv.addSchema(this.document, 'openapi.yaml', false, false);
    }

    this.operations = [];
    this.paths_ = Object.entries(this.document.paths).map(([template, item]) => {
      const pattern = template.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
      for (const method of METHODS) if (item[method]) this.operations.push({ template, method, operation: item[method] });
      return { template, item, pattern: new RegExp(`^${pattern}$`) };
    });
    this.seen_ = new Set();
    this.seenProblems_ = new Set();
    this.seenMessages_ = new Set();
    this.seenBodies_ = new Set();
  }

  // ---- the document

  // Returns [{ name, errors }], one for each check.
  async lint() {
    const results = [];
    const expect = (name, errors) => results.push({ name, errors });

    const form = await new Validator().validate(this.text);
    expect('is a valid OpenAPI document', form.valid ? [] : [].concat(form.errors).map((e) => (typeof e === 'string' ? e : `${e.instancePath} ${e.message}`)));

    const used = new Set();
    const dangling = [];
    const visit = (node, pointer, parent, see) => {
      if (node === null || typeof node !== 'object') return;
      see(node, pointer, parent);
      for (const [name, child] of Object.entries(node)) {
        const isExample = name === 'value' && !pointer.endsWith('/properties');
        if (!isExample) visit(child, `${pointer}/${escape(name)}`, node, see);
      }
    };
    visit(this.document, '#', null, (node) => {
      for (const name of (node.security ?? []).flatMap(Object.keys)) used.add(`#/components/securitySchemes/${name}`);
      if (typeof node.$ref !== 'string') return;
      used.add(node.$ref);
      if (!this.at_(node.$ref)) dangling.push(node.$ref);
    });
    expect('every $ref resolves', dangling);
    expect('every component is used', Object.entries(this.document.components).flatMap(([kind, all]) =>
      Object.keys(all).map((name) => `#/components/${kind}/${name}`).filter((ref) => !used.has(ref))));

    const ids = this.operations.map(({ operation }) => operation.operationId);
    expect('every operation has a unique id', ids.filter((id, i) => !id || ids.indexOf(id) !== i).map(String));
    expect('the parameters in every path are described', this.operations.flatMap(({ template, method }) => {
      const described = this.parameters_(template, method).filter(({ parameter }) => parameter.in === 'path').map(({ parameter }) => parameter.name);
      const named = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      return named.sort().join() === described.sort().join() ? [] : [`${method} ${template}: ${named} / ${described}`];
    }));
    const { ProblemSlug, ProblemType } = this.document.components.schemas;
    expect('ProblemSlug and ProblemType name the same problems',
      ProblemType.enum.join() === ProblemSlug.enum.map((slug) => `/problems/${slug}`).join() ? [] : ['they differ']);

    const schemas = [];
    const examples = [];
    const withoutExample = [];
    visit(this.document, '#', null, (node, pointer, parent) => {
      if (node.schema && !node.$ref) {
        schemas.push(`${pointer}/schema`);
        const values = this.examples_(node);
        if (values.length === 0) withoutExample.push(pointer);
        const arrivesAsText = /\/(headers|parameters)\//.test(pointer);
        for (const value of values) examples.push({ pointer, schema: `${pointer}/schema`, value, arrivesAsText });
        if (node['x-line-schema']) {
          schemas.push(`${pointer}/x-line-schema`);
          for (const line of values.flatMap(jsonLines)) examples.push({ pointer, schema: `${pointer}/x-line-schema`, value: line, arrivesAsText });
        }
      }
      if (parent === this.document.components.schemas) {
        schemas.push(pointer);
        for (const value of node.examples ?? []) examples.push({ pointer, schema: pointer, value, arrivesAsText: false });
      }
    });
    const broken = schemas.flatMap((schema) => {
      try {
        this.compile_(this.bodies_, schema);
        return [];
      } catch (error) {
        return [`${schema}: ${error.message}`];
      }
    });
    expect('every schema compiles', broken);
    expect('every parameter, header and body has an example', withoutExample);
    if (broken.length > 0) return results; // without schemas, examples cannot be checked
    expect('every example matches its schema', examples.flatMap(({ pointer, schema, value, arrivesAsText }) =>
      this.errors_(arrivesAsText ? this.texts_ : this.bodies_, schema, value).map((error) => `${decodeURIComponent(pointer)}: ${error}`)));
    return results;
  }

  // ---- an exchange

  // Returns a list of messages, one for each difference between { method, path, query, headers, body, response: { status,
  // headers, body } } and the document. Headers are [name, value] pairs as received; bodies are text.
  differences(exchange) {
    const { method, path, response } = exchange;
    const { operation, pointer, template, item, params } = this.find_(method, path);
    const responses = operation ? operation.responses : this.document['x-responses-outside-operations'];
    const where = operation ? `${pointer}/responses` : '#/x-responses-outside-operations';
    const status = String(response.status);
    if (!responses[status]) return [`status ${status} is not documented for ${operation ? `${method} ${template}` : 'requests outside the operations'}`];
    if (operation) this.seen_.add(`${method} ${template} ${status}`);

    const differences = this.response_(exchange, `${where}/${status}`);
    if (operation && response.status < 300) differences.push(...this.request_(exchange, template, params));
    if (!item && response.status === 405) differences.push('an unknown path answers 405');
    if (item && !operation && response.status === 404) differences.push('a known path answers 404 to a method that it does not have');
    if (item && response.status === 405) {
      const allowed = METHODS.filter((name) => item[name]).map((name) => name.toUpperCase()).sort().join();
      const named = (lines(response.headers, 'allow')[0] ?? '').split(', ').sort().join();
      if (allowed !== named) differences.push(`Allow names ${named}, the document has ${allowed}`);
    }
    return differences;
  }

  // Returns [{ name, seen }] for the documented responses and problems: whether an exchange had them. Those for which
  // `isExempt` returns true are left out.
  coverage(isExempt) {
    const responses = this.operations.flatMap(({ template, method, operation }) =>
      Object.entries(operation.responses).map(([status, response]) => ({
        name: `${method.toUpperCase()} ${template} ${status}`, status: Number(status), response: response.$ref, method, template,
      })));
    const problems = this.document.components.schemas.ProblemSlug.enum.map((slug) => ({ name: `/problems/${slug}`, slug }));
    return [
      ...responses.filter((response) => !isExempt(response)).map(({ name }) => ({ name, seen: this.seen_.has(name) })),
      ...problems.filter((problem) => !isExempt(problem)).map(({ name }) => ({ name, seen: this.seenProblems_.has(name) })),
    ];
  }

  // Returns [{ message, known }] for the messages in the document's example responses. A message is known if a response had one
  // of the same shape, or if it occurs in `source`, the program's source text.
  messages(source) {
    const inExamples = Object.values(this.document.components.responses).flatMap(({ content = {} }) => Object.entries(content))
      .flatMap(([type, media]) => this.examples_(media).flatMap((value) => (type === NDJSON ? jsonLines(value) : value)))
      .flatMap(messagesIn);
    return [...new Set(inExamples)].map((message) =>
      ({ message, known: this.seenMessages_.has(shape(message)) || source.includes(message) }));
  }

  // Returns [{ name, value, seen }] for the JSON bodies in the document's example responses: whether a response had this body, ids, times and
  // counts aside. Each line of NDJSON counts as a body.
  exampleBodies() {
    const bodies = Object.entries(this.document.components.responses).flatMap(([response, { content = {} }]) =>
      Object.entries(content).filter(([type]) => IS_JSON.test(type)).flatMap(([type, media]) => Object.entries(media.examples ?? {}).flatMap(([key, example]) => {
        const { value } = example.$ref ? this.at_(example.$ref) : example;
        return (type === NDJSON ? jsonLines(value) : [value]).map((body) => ({ name: `${response}, ${type}: ${example.$ref?.split('/').pop() ?? key}`, value: body }));
      })));
    return bodies.map((body) => ({ ...body, seen: this.seenBodies_.has(comparable(body.value)) }));
  }

  // Returns [{ method, template, type, name, value }] for the examples of request bodies.
  exampleRequests() {
    return this.operations.flatMap(({ template, method, operation }) => Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) =>
      Object.entries(media.examples ?? {}).map(([name, example]) =>
        ({ method: method.toUpperCase(), template, type, name, value: (example.$ref ? this.at_(example.$ref) : example).value }))));
  }

  response_({ method, response }, at) {
    const { node: documented, pointer } = this.resolve_(at);
    const differences = [];

    const headers = new Map(Object.keys(documented.headers ?? {}).map((name) => [name.toLowerCase(), name]));
    for (const name of headers.values()) {
      const { node, pointer: found } = this.resolve_(`${pointer}/headers/${escape(name)}`);
      const values = lines(response.headers, name.toLowerCase());
      if (values.length === 0 && node.required) differences.push(`header ${name} is missing`);
      if (values.length > 1) differences.push(`header ${name} appears ${values.length} times`);
      for (const value of values) {
        differences.push(...this.errors_(this.texts_, `${found}/schema`, value).map((error) => `header ${name}: ${value}: ${error}`));
      }
    }
    for (const [name] of response.headers) {
      const lower = name.toLowerCase();
      if (!headers.has(lower) && !GENERAL_HEADERS.has(lower)) differences.push(`header ${name} is not documented`);
    }

    const media = Object.keys(documented.content ?? {});
    const [type] = lines(response.headers, 'content-type');
    const [essence] = (type ?? '').toLowerCase().split(';');
    if (media.length === 0) {
      if (response.body !== '') differences.push('a body is not documented');
      return differences;
    }
    if (!media.includes(essence.trim())) return [...differences, `Content-Type ${type} is not documented, ${media.join(' or ')} is`];
    if (method === 'HEAD') {
      if (response.body !== '') differences.push('the response to HEAD has a body');
      return differences;
    }
    let body = response.body;
    if (IS_JSON.test(essence.trim())) {
      try {
        body = essence.trim() === NDJSON ? jsonLines(body) : JSON.parse(body);
      } catch (error) {
        return [...differences, `the body is not JSON: ${error.message}`];
      }
      messagesIn(body).forEach((message) => this.seenMessages_.add(shape(message)));
      (essence.trim() === NDJSON ? body : [body]).forEach((it) => this.seenBodies_.add(comparable(it)));
      if (essence.trim() === 'application/problem+json') this.seenProblems_.add(body?.type);
    }
    const content = `${pointer}/content/${escape(essence.trim())}`;
    const validations = essence.trim() === NDJSON ? body.map((line) => [`${content}/x-line-schema`, line]) : [[`${content}/schema`, body]];
    differences.push(...validations.flatMap(([schema, it]) => this.errors_(this.bodies_, schema, it).map((error) => `body${error}`)));
    return differences;
  }

  // Returns the differences between the document and a request that succeeded.
  request_({ method, path, query, headers, body }, template, params) {
    const differences = [];
    for (const { parameter, pointer } of this.parameters_(template, method.toLowerCase())) {
      const values = {
        path: () => [decodeURIComponent(params[parameter.name])],
        query: () => new URLSearchParams(query).getAll(parameter.name),
        header: () => lines(headers, parameter.name.toLowerCase()),
      }[parameter.in]();
      if (values.length === 0 && parameter.required) differences.push(`succeeded without parameter ${parameter.name}`);
      for (const value of values) {
        differences.push(...this.errors_(this.texts_, `${pointer}/schema`, value).map((error) => `succeeded with ${parameter.name} ${value}: ${error}`));
      }
    }
    const { operation, pointer } = this.find_(method, path);
    if (operation.requestBody) {
      const contentType = (lines(headers, 'content-type')[0] ?? '').toLowerCase().split(';')[0].trim();
      const media = operation.requestBody.content[contentType] ? contentType : '*/*'; // any type, or none
      if (!operation.requestBody.content[media]) differences.push(`succeeded with Content-Type ${contentType}`);
      else if (media !== NDJSON) { // in a batch each line succeeds or fails independently
        const schema = `${pointer}/requestBody/content/${escape(media)}/schema`;
        differences.push(...this.errors_(this.bodies_, schema, JSON.parse(body)).map((error) => `succeeded with body${error}`));
      }
    }
    return differences;
  }

  find_(method, path) {
    const found = this.paths_.find(({ pattern }) => pattern.test(path));
    if (!found) return {};
    const { template, item } = found;
    const pointer = `#/paths/${escape(template)}/${method.toLowerCase()}`;
    return { template, item, operation: item[method.toLowerCase()], pointer, params: found.pattern.exec(path).groups ?? {} };
  }

  parameters_(template, method) {
    const at = `#/paths/${escape(template)}`;
    const own = (pointer, list = []) => list.map((_, i) => this.resolve_(`${pointer}/parameters/${i}`)).map(({ node, pointer: p }) => ({ parameter: node, pointer: p }));
    const item = this.document.paths[template];
    return [...own(at, item.parameters), ...own(`${at}/${method}`, item[method].parameters)];
  }

  examples_(node) {
    const many = Object.values(node.examples ?? {}).map((example) => (example.$ref ? this.at_(example.$ref) : example)?.value);
    return 'example' in node ? [node.example, ...many] : many;
  }

  at_(pointer) {
    return pointer.slice(2).split('/').reduce((node, name) => node?.[decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')], this.document);
  }

  // Returns the node at a pointer, after following any $ref, and its pointer.
  resolve_(pointer) {
    const node = this.at_(pointer);
    return node?.$ref ? this.resolve_(node.$ref) : { node, pointer };
  }

  compile_(ajv, schema) {
    const key = `${ajv === this.bodies_} ${schema}`;
    // Wrapped in an object, because Ajv coerces only the members of objects and arrays.
    if (!this.compiled_.has(key)) this.compiled_.set(key, ajv.compile({ properties: { it: { $ref: `openapi.yaml${schema}` } } }));
    return this.compiled_.get(key);
  }

  errors_(ajv, schema, it) {
    const validate = this.compile_(ajv, schema);
    if (validate({ it })) return [];
    return validate.errors.map(({ instancePath, message, params }) => `${instancePath.slice('/it'.length)} ${message} ${JSON.stringify(params)}`);
  }
}

const lines = (headers, name) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
