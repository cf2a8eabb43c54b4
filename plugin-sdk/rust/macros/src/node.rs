//! `#[node]`.

use heck::{ToTitleCase, ToUpperCamelCase};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Error, Expr, FnArg, Ident, ItemFn, LitStr, Pat, PatType, Path, Result, ReturnType,
    Safety, Signature, Token, Type, parenthesized,
};

use crate::docs;

/// The arguments of `#[node]`.
#[derive(Default)]
struct Arguments {
    name: Option<LitStr>,
    display_name: Option<LitStr>,
    category: Option<LitStr>,
    outputs: Option<(Span, Vec<Named>)>,
    /// Outputs, and the input that each passes on.
    passes: Vec<(LitStr, LitStr)>,
    aliases: Vec<LitStr>,
    /// `output_node`, `deprecated`, `experimental`: methods of the description.
    flags: Vec<Ident>,
    /// `needs`, `fingerprint`, `validate`, and the function of each.
    checks: Vec<(Ident, Path)>,
}

/// An output's name and its tooltip.
struct Named {
    name: LitStr,
    tooltip: Option<LitStr>,
}

impl Arguments {
    fn parse(tokens: TokenStream) -> Result<Self> {
        let mut arguments = Self::default();
        let mut known: Vec<Ident> = Vec::new();
        let each = syn::meta::parser(|meta| {
            let key = meta.path.require_ident()?.clone();
            if known.contains(&key) {
                return Err(meta.error(format!("`{key}` is given twice")));
            }
            known.push(key.clone());
            arguments.argument(&key, &meta)
        });
        each.parse2(tokens)?;
        Ok(arguments)
    }

    fn argument(&mut self, key: &Ident, meta: &ParseNestedMeta) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(meta.value()?.parse()?),
            "display_name" => self.display_name = Some(meta.value()?.parse()?),
            "category" => self.category = Some(meta.value()?.parse()?),
            "outputs" => self.outputs = Some((key.span(), in_parentheses(meta.input, output)?)),
            "passes" => self.passes = in_parentheses(meta.input, pass)?,
            "aliases" => self.aliases = in_parentheses(meta.input, |input| input.parse())?,
            "output_node" | "deprecated" | "experimental" => self.flags.push(key.clone()),
            "needs" | "fingerprint" | "validate" => {
                self.checks.push((key.clone(), meta.value()?.parse()?));
            }
            _ => {
                return Err(meta.error(
                    "unknown argument of `#[node]`; there are `category`, `name`, \
                     `display_name`, `outputs`, `passes`, `aliases`, `output_node`, `deprecated`, \
                     `experimental`, `needs`, `fingerprint` and `validate`",
                ));
            }
        }
        Ok(())
    }
}

fn in_parentheses<T>(input: ParseStream, one: fn(ParseStream) -> Result<T>) -> Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    let all = Punctuated::<T, Token![,]>::parse_terminated_with(&content, one)?;
    Ok(all.into_iter().collect())
}

fn output(input: ParseStream) -> Result<Named> {
    let name = input.parse()?;
    let tooltip =
        if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
    Ok(Named { name, tooltip })
}

fn pass(input: ParseStream) -> Result<(LitStr, LitStr)> {
    let output = input.parse()?;
    input.parse::<Token![=]>()?;
    Ok((output, input.parse()?))
}

/// A parameter, taken apart.
struct Parameter {
    ty: Type,
    name: LitStr,
    tooltip: String,
    lazy: Option<Ident>,
    /// Calls of the port's methods.
    options: Vec<(Ident, Option<Expr>)>,
}

impl Parameter {
    /// Takes `#[input]` and the doc comment off a parameter.
    fn parse(argument: &mut PatType) -> Result<Self> {
        let Pat::Ident(pattern) = &*argument.pat else {
            let message = "an input is a plain name and a type, as `width: u32`";
            return Err(Error::new_spanned(&argument.pat, message));
        };
        let ident = &pattern.ident;
        let name = ident.to_string();
        let mut parameter = Self {
            ty: (*argument.ty).clone(),
            name: LitStr::new(name.trim_start_matches("r#"), ident.span()),
            tooltip: docs::text(&argument.attrs),
            lazy: None,
            options: Vec::new(),
        };
        for attribute in argument.attrs.iter().filter(|attribute| is_input(attribute)) {
            attribute.parse_nested_meta(|meta| parameter.option(&meta))?;
        }
        // What decides the kind of the port comes before what its kind has.
        parameter.options.sort_by_key(|(key, _)| {
            !["choices", "models", "images"].iter().any(|first| key == first)
        });
        argument
            .attrs
            .retain(|attribute| !is_input(attribute) && !attribute.path().is_ident("doc"));
        Ok(parameter)
    }

    fn option(&mut self, meta: &ParseNestedMeta) -> Result<()> {
        let key = meta.path.require_ident()?.clone();
        if key == "name" {
            self.name = meta.value()?.parse()?;
        } else if key == "lazy" {
            self.lazy = Some(key);
        } else if self.options.iter().any(|(known, _)| *known == key) {
            return Err(meta.error(format!("`{key}` is given twice")));
        } else {
            let value =
                if meta.input.peek(Token![=]) { Some(meta.value()?.parse()?) } else { None };
            self.options.push((key, value));
        }
        Ok(())
    }

    /// Adds it to `description`.
    fn describe(&self) -> TokenStream {
        let Self { ty, name, tooltip, .. } = self;
        let lazy = self.lazy.is_some();
        let input = quote_spanned!(ty.span()=> <#ty as ::berth_sdk::ports::Input>);
        let options = self
            .options
            .iter()
            .map(|(key, value)| quote_spanned!(key.span()=> let port = port.#key(#value);));
        let lazy_is_optional = self.lazy.as_ref().map(|lazy| {
            quote_spanned! {lazy.span()=>
                const _: () =
                    assert!(#input::OPTIONAL, "a lazy input is an `Option`: it may not be there");
            }
        });
        quote_spanned! {ty.span()=>
            {
                #lazy_is_optional
                let port = #input::port();
                #(#options)*
                let label = ::berth_sdk::ports::Label {
                    name: #name,
                    optional: #input::OPTIONAL,
                    lazy: #lazy,
                    tooltip: #tooltip,
                };
                description.input(port, label);
            }
        }
    }

    /// Its value, out of `inputs`.
    fn take(&self) -> TokenStream {
        let Self { ty, name, .. } = self;
        quote_spanned! {ty.span()=>
            ::berth_sdk::plugin::take::<#ty>(&mut inputs, Self::NAME, #name)?
        }
    }
}

fn is_input(attribute: &Attribute) -> bool {
    attribute.path().is_ident("input")
}

/// Refuses what a node cannot be.
fn check(signature: &Signature) -> Result<()> {
    let refuse =
        |span: Span, what: &str| Err(Error::new(span, format!("a node is no {what} function")));
    if let Some(token) = &signature.constness {
        return refuse(token.span(), "`const`");
    }
    if let Some(token) = &signature.asyncness {
        return refuse(token.span(), "`async`");
    }
    if !matches!(signature.safety, Safety::Default) {
        return refuse(signature.safety.span(), "`unsafe`");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "`extern`");
    }
    if !signature.generics.params.is_empty() {
        return refuse(signature.generics.span(), "generic");
    }
    Ok(())
}

/// The function, and its node.
pub fn expand(arguments: TokenStream, mut function: ItemFn) -> Result<TokenStream> {
    let arguments = Arguments::parse(arguments)?;
    check(&function.sig)?;
    let ident = function.sig.ident.clone();
    let Some(category) = &arguments.category else {
        let message = "a node is listed in a category: `#[node(category = \"image\")]`";
        return Err(Error::new(Span::call_site(), message));
    };
    let ReturnType::Type(_, returned) = &function.sig.output else {
        return Err(Error::new_spanned(&ident, "a node's function returns `Result`"));
    };
    let returned = returned.clone();

    let parameters = function
        .sig
        .inputs
        .iter_mut()
        .map(|argument| match argument {
            FnArg::Typed(argument) => Parameter::parse(argument),
            FnArg::Receiver(receiver) => {
                Err(Error::new_spanned(receiver, "a node is a plain function, without `self`"))
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let mut names: Vec<String> = Vec::new();
    for parameter in &parameters {
        let name = parameter.name.value();
        if names.contains(&name) {
            let message = format!("two inputs are called `{name}`");
            return Err(Error::new(parameter.name.span(), message));
        }
        names.push(name);
    }

    for (output, input) in &arguments.passes {
        let outputs = arguments.outputs.iter().flat_map(|(_, named)| named);
        if !outputs.map(|named| named.name.value()).any(|name| name == output.value()) {
            let message = format!("`outputs` names no `{}`", output.value());
            return Err(Error::new(output.span(), message));
        }
        if !names.contains(&input.value()) {
            let message = format!("there is no input `{}`", input.value());
            return Err(Error::new(input.span(), message));
        }
    }

    let words = ident.to_string();
    let words = words.trim_start_matches("r#");
    let of_words = |text: String| LitStr::new(&text, ident.span());
    let name = arguments.name.clone().unwrap_or_else(|| of_words(words.to_upper_camel_case()));
    let display_name =
        arguments.display_name.clone().unwrap_or_else(|| of_words(words.to_title_case()));
    let description = docs::text(&function.attrs);
    let outputs = quote_spanned! {returned.span()=>
        <#returned as ::berth_sdk::ports::Returned>::Outputs
    };

    let described = parameters.iter().map(Parameter::describe);
    let described_outputs = describe_outputs(&arguments, &outputs);
    let passes = arguments.passes.iter();
    let passes = passes.map(|(output, input)| quote!(description.passes(#output, #input);));
    let flags = arguments.flags.iter().map(|flag| quote!(description.#flag();));
    let checks = arguments.checks.iter().map(|(check, _)| {
        let flag = Ident::new(&check.to_string().to_uppercase(), check.span());
        quote!(description.checks(::berth_sdk::plugin::Checks::#flag);)
    });
    let aliases = &arguments.aliases;
    let check_bodies = arguments.checks.iter().map(|(check, path)| check_body(check, path));

    let inputs = if parameters.is_empty() { quote!(_) } else { quote!(mut inputs) };
    let taken = parameters.iter().map(Parameter::take);
    let visibility = &function.vis;
    let documentation = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let conditions: Vec<_> =
        function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    // A node has as many inputs as it has. `expect` would not hold where the limit is raised.
    let many = quote!(#[allow(clippy::too_many_arguments, reason = "a node's inputs")]);
    Ok(quote! {
        #many
        #function

        #(#documentation)*
        #(#conditions)*
        #[expect(non_camel_case_types, reason = "it has its function's name")]
        #visibility struct #ident {}

        #(#conditions)*
        impl ::berth_sdk::plugin::Node for #ident {
            const NAME: &'static str = #name;

            fn describe() -> ::berth_sdk::plugin::NodeType {
                let mut description = ::berth_sdk::plugin::Description::new(
                    Self::NAME,
                    #display_name,
                    #category,
                    #description,
                );
                #(#described)*
                #described_outputs
                #(#passes)*
                #(#flags)*
                #(#checks)*
                description.aliases(&[#(#aliases),*]);
                description.finish()
            }

            fn run(
                #inputs: ::berth_sdk::Fields,
            ) -> ::berth_sdk::Result<::std::vec::Vec<::berth_sdk::Value>> {
                let outputs = #ident(#(#taken),*)?;
                ::core::result::Result::Ok(<#outputs as ::berth_sdk::ports::Outputs>::into_values(outputs))
            }

            #(#check_bodies)*
        }
    })
}

/// Adds the outputs to `description`, and refuses more names than there are outputs.
fn describe_outputs(arguments: &Arguments, outputs: &TokenStream) -> TokenStream {
    let (span, named) = match &arguments.outputs {
        Some((span, named)) => (*span, named.as_slice()),
        None => (Span::call_site(), &[][..]),
    };
    let count = named.len();
    let pairs = named.iter().map(|Named { name, tooltip }| {
        let tooltip = tooltip.as_ref().map(LitStr::value).unwrap_or_default();
        quote!((#name, #tooltip))
    });
    let fits = (count > 0).then(|| {
        quote_spanned! {span=>
            const _: () = assert!(
                #count <= <#outputs as ::berth_sdk::ports::Outputs>::TYPES.len(),
                "`outputs` names more than the function returns",
            );
        }
    });
    quote! {
        #fits
        description.outputs::<#outputs>(&[#(#pairs),*]);
    }
}

/// A check's method, which calls the author's function.
fn check_body(check: &Ident, path: &Path) -> TokenStream {
    let found = match check.to_string().as_str() {
        "needs" => quote!(::std::vec::Vec<::std::string::String>),
        "fingerprint" => quote!(::std::string::String),
        _ => quote!(::core::option::Option<::std::string::String>),
    };
    let call = quote_spanned!(path.span()=> #path(inputs));
    quote! {
        fn #check(inputs: &::berth_sdk::Fields) -> ::berth_sdk::Result<#found> {
            #call
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(arguments: &str, function: &str) -> String {
        let arguments = arguments.parse().unwrap();
        expand(arguments, syn::parse_str(function).unwrap()).unwrap_err().to_string()
    }

    const GOOD: &str = "fn a() -> Result<()> {}";

    #[test]
    fn a_node_without_a_category_is_refused() {
        assert!(refusal("", GOOD).contains("category"));
    }

    #[test]
    fn an_unknown_argument_is_refused_with_those_there_are() {
        let text = refusal(r#"category = "a", outptu_node"#, GOOD);
        assert!(text.contains("`output_node`"), "{text}");
    }

    #[test]
    fn an_argument_given_twice_is_refused() {
        let text = refusal(r#"category = "a", category = "b""#, GOOD);
        assert_eq!(text, "`category` is given twice");
    }

    #[test]
    fn only_an_input_can_be_passed_on_and_only_by_an_output() {
        let node = "fn a(image: Image) -> Result<Image> {}";
        let refuse = |passes| refusal(&format!(r#"category = "a", outputs("b"), {passes}"#), node);
        assert_eq!(refuse(r#"passes("b" = "x")"#), "there is no input `x`");
        assert_eq!(refuse(r#"passes("x" = "image")"#), "`outputs` names no `x`");
    }

    #[test]
    fn what_is_no_plain_function_is_refused() {
        let refuse = |function| refusal(r#"category = "a""#, function);
        assert!(refuse("async fn a() -> Result<()> {}").contains("`async`"));
        assert!(refuse("unsafe fn a() -> Result<()> {}").contains("`unsafe`"));
        assert!(refuse("fn a<T>(t: T) -> Result<()> {}").contains("generic"));
        assert!(refuse("fn a(&self) -> Result<()> {}").contains("`self`"));
        assert!(refuse("fn a((x, y): (u32, u32)) -> Result<()> {}").contains("plain name"));
        assert!(refuse("fn a() {}").contains("returns `Result`"));
    }

    #[test]
    fn two_inputs_of_one_name_are_refused() {
        let text = refusal(
            r#"category = "a""#,
            r#"fn a(x: u32, #[input(name = "x")] y: u32) -> Result<()> {}"#,
        );
        assert_eq!(text, "two inputs are called `x`");
    }
}
