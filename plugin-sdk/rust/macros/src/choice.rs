//! `#[derive(Choice)]`.

use std::collections::HashSet;

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result, Variant};

/// The enum's implementations.
pub fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &item.data else {
        return Err(Error::new_spanned(&item.ident, "only an enum can be a choice"));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a choice has no generic parameters"));
    }
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&item.ident, "a choice has at least one option"));
    }
    let names = data.variants.iter().map(name).collect::<Result<Vec<_>>>()?;
    let mut known = HashSet::new();
    if let Some(again) = names.iter().find(|name| !known.insert(name.value())) {
        let message = format!("two options are called `{}`", again.value());
        return Err(Error::new(again.span(), message));
    }

    let choice = &item.ident;
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::berth_sdk::Choice for #choice {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn from_name(name: &str) -> ::core::option::Option<Self> {
                match name {
                    #(#names => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    #(Self::#variants => #names,)*
                }
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#choice> for ::std::string::String {
            fn from(choice: #choice) -> Self {
                ::berth_sdk::Choice::name(&choice).into()
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#choice> for ::berth_sdk::Value {
            fn from(choice: #choice) -> Self {
                ::berth_sdk::Choice::name(&choice).into()
            }
        }

        #[automatically_derived]
        impl ::berth_sdk::FromValue for #choice {
            fn from_value(value: ::berth_sdk::Value) -> ::berth_sdk::Result<Self> {
                ::berth_sdk::ports::chosen(value)
            }
        }

        #[automatically_derived]
        impl ::berth_sdk::ports::Input for #choice {
            type Port = ::berth_sdk::ports::ChoicePort;

            fn port() -> Self::Port {
                ::berth_sdk::ports::ChoicePort::fixed(
                    <Self as ::berth_sdk::Choice>::NAMES.iter().copied(),
                )
            }

            fn find(
                inputs: &mut ::berth_sdk::Fields,
                name: &str,
            ) -> ::berth_sdk::Result<::core::option::Option<Self>> {
                inputs.take_optional(name)
            }
        }
    })
}

/// What an option is called.
fn name(variant: &Variant) -> Result<LitStr> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(&variant.fields, "an option of a choice has no data"));
    }
    match variant.attrs.iter().find(|attribute| attribute.path().is_ident("choice")) {
        Some(attribute) => attribute.parse_args(),
        None => Ok(LitStr::new(&variant.ident.to_string().to_snake_case(), variant.ident.span())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(item: DeriveInput) -> String {
        expand(&item).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_plain_enum_is_refused() {
        assert_eq!(
            refusal(syn::parse_quote!(
                struct A;
            )),
            "only an enum can be a choice"
        );
        assert_eq!(
            refusal(syn::parse_quote!(
                enum A {}
            )),
            "a choice has at least one option"
        );
        let data = syn::parse_quote!(
            enum A {
                B(u8),
            }
        );
        assert_eq!(refusal(data), "an option of a choice has no data");
        let generic = syn::parse_quote!(
            enum A<T> {
                B,
            }
        );
        assert_eq!(refusal(generic), "a choice has no generic parameters");
    }

    #[test]
    fn two_options_of_one_name_are_refused() {
        let item = syn::parse_quote!(
            enum A {
                Area,
                #[choice("area")]
                Region,
            }
        );
        assert_eq!(refusal(item), "two options are called `area`");
    }
}
